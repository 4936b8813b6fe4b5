"""The report: tables, figures and sections, rendered as HTML and Markdown from the stages' results."""
