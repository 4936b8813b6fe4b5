"""A report as Markdown, its pictures in files beside it."""

from collections.abc import Sequence

from splitpose.report.document import Facts, Listing, Part, Picture, Report, Table


def render(report: Report) -> str:
    """The same sections as on the page. Pictures are linked by their names, listings are left to the page."""
    paragraphs = [f"# {report.title}", report.lead]
    if report.warning:
        paragraphs.append(f"**{report.warning}**")
    for section in report.sections:
        parts = [_part(part) for part in section.parts if not isinstance(part, Listing)]
        if section.text or parts:
            paragraphs += [f"## {section.title}", *section.text, *parts]
    return "\n\n".join(paragraphs) + "\n"


def _part(part: Part) -> str:
    match part:
        case Table():
            right = ["---"] + ["---:"] * (len(part.headers) - 1)
            lines = [_row(part.headers), _row(right), *map(_row, part.rows)]
            return "\n\n".join([f"### {part.title}", "\n".join(lines), part.note])
        case Picture():
            return f"![{part.title}]({part.name})\n\n{part.title}. {part.caption}".rstrip()
        case Facts():
            return "\n".join([f"### {part.title}", "", *(f"- {name}: {value}" for name, value in part.pairs)])
        case Listing():
            return part.text


def _row(cells: Sequence[str]) -> str:
    """Cells as one line; a second line of a cell, its interval, goes into brackets."""
    texts = []
    for cell in cells:
        first, _, second = cell.replace("|", "\\|").partition("\n")
        texts.append(f"{first} ({second})" if second else first)
    return f"| {' | '.join(texts)} |"
