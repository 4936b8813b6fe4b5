"""A report as one HTML page that needs nothing beside it."""

import base64
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from splitpose.report.document import Report


def render(report: Report) -> str:
    """The page as HTML, all pictures inside it."""
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template.filters |= {"data_uri": _data_uri, "kind": lambda part: type(part).__name__}
    html: str = template.from_string(Path(__file__).with_name("page.html").read_text()).render(report=report)
    return html


def _data_uri(picture: bytes) -> str:
    """A PNG or JPEG as an address that holds the picture itself."""
    kind = "jpeg" if picture.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
