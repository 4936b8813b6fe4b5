"""The server of the web page that `web/` builds."""
