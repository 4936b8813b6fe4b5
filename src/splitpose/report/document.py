"""The structure of a report: sections of text, tables, images and facts, for HTML and Markdown alike."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Table:
    """A table of text. The lines of a cell after the first are shown small, for example its 95 % interval."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str

    def without(self, *headers: str) -> "Table":
        """Return the table without the columns of these headers."""
        keep = [k for k, header in enumerate(self.headers) if header not in headers]
        return replace(
            self,
            headers=tuple(self.headers[k] for k in keep),
            rows=tuple(tuple(row[k] for k in keep) for row in self.rows),
        )


@dataclass(frozen=True)
class Image:
    """A PNG figure or a JPEG contact sheet, which uses the page's full width."""

    name: str
    """Path of its file below reports/."""
    title: str
    caption: str
    content: bytes
    is_sheet: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Listing:
    """Preformatted text, e.g. the content of a file."""

    title: str
    text: str


Block = Table | Image | Facts | Listing


@dataclass(frozen=True)
class Section:
    """A section of the report with a heading."""

    anchor: str
    """The section's address within the page."""
    title: str
    text: tuple[str, ...]
    blocks: tuple[Block, ...] = ()
    collapsed: bool = True
    """Whether the page shows only the heading until the reader opens the section."""


@dataclass(frozen=True)
class Report:
    """A report."""

    title: str
    conclusion: str
    """The recommended variant and the reason, in one or two sentences."""
    summary: tuple[str, ...]
    """Origin of the numbers, one paragraph each."""
    warning: str | None
    """Limitation that applies to all numbers, shown above them."""
    sections: tuple[Section, ...]

    def images(self) -> list[Image]:
        """Return all images in reading order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Image)]
