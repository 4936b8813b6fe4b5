"""What a report is made of: sections of text, tables, pictures and facts, for the page and for Markdown alike."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Table:
    """A table of text. A cell may have a second line, after a line break: its 95 % interval."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str

    def without(self, *headers: str) -> "Table":
        """The table without the columns of these headers."""
        keep = [k for k, header in enumerate(self.headers) if header not in headers]
        return replace(
            self,
            headers=tuple(self.headers[k] for k in keep),
            rows=tuple(tuple(row[k] for k in keep) for row in self.rows),
        )


@dataclass(frozen=True)
class Picture:
    """A PNG or JPEG. `name` is that of its file below reports/; a sheet of people has the page's full width."""

    name: str
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
    """Text that is shown as it stands, e.g. a file."""

    title: str
    text: str


Part = Table | Picture | Facts | Listing


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading. `anchor` is its address within the page."""

    anchor: str
    title: str
    text: tuple[str, ...]
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Report:
    """The whole: `lead` says what it is of; `warning`, if any, stands above all numbers."""

    title: str
    lead: str
    warning: str | None
    sections: tuple[Section, ...]

    def pictures(self) -> list[Picture]:
        """All pictures, in reading order."""
        return [part for section in self.sections for part in section.parts if isinstance(part, Picture)]
