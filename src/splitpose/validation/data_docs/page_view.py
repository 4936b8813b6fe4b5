"""The view with which Great Expectations renders the pages of its Data Docs.

The templates of Great Expectations load Bootstrap, jQuery, Vega, icons and a logo from content delivery networks,
and the index is empty without them. This view replaces the outer page and the tables of the index by templates that
need neither scripts nor the network; everything else is rendered by the templates of Great Expectations.
"""

from pathlib import Path
from typing import Any

from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader

VIEW = {"module_name": __name__, "class_name": "OfflinePageView"}
"""The view in the configuration of a Data Docs site."""


class OfflinePageView(DefaultJinjaPageView):
    """Render pages of the Data Docs with the templates of this folder, then those of Great Expectations."""

    _template = "page.j2"

    def __init__(self, **directories: Any) -> None:
        super().__init__(**directories)
        templates = FileSystemLoader(Path(__file__).parent)
        self.env.loader = ChoiceLoader([templates, *([self.env.loader] if self.env.loader else [])])
