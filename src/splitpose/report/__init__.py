"""The report: tables, figures and sections, rendered as HTML and Markdown from what the stages computed."""
