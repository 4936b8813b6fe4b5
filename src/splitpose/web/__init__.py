"""The built web page of `web/`, served on loopback."""
