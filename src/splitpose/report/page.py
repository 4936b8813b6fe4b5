"""Rendering of a report as one self-contained HTML page."""

import base64
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from splitpose.report.document import Report


def render(report: Report, generated: datetime) -> str:
    """Render the report as HTML with all images embedded.

    Args:
        report: the report.
        generated: when the report was generated, with its time zone.
    """
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template.filters |= {"data_uri": _encode_data_uri, "kind": lambda block: type(block).__name__}
    source = Path(__file__).with_name("page.html").read_text()
    html: str = template.from_string(source).render(report=report, generated=generated)
    return html


def _encode_data_uri(image: bytes) -> str:
    """Encode a PNG or JPEG as a data URI."""
    kind = "jpeg" if image.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
