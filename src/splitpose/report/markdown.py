"""Rendering of a report as Markdown, with its images in separate files."""

from collections.abc import Sequence

from splitpose.report.document import Block, Facts, Image, Listing, Report, Table


def render(report: Report) -> str:
    """Render the sections of the report. Images are linked by name; listings are omitted."""
    paragraphs = [f"# {report.title}", f"**{report.conclusion}**", *report.summary]
    if report.warning:
        paragraphs.append(f"**{report.warning}**")
    for section in report.sections:
        blocks = [_render_block(block) for block in section.blocks if not isinstance(block, Listing)]
        if section.text or blocks:
            paragraphs += [f"## {section.title}", *section.text, *blocks]
    return "\n\n".join(paragraphs) + "\n"


def _render_block(block: Block) -> str:
    match block:
        case Table():
            alignment = ["---"] + ["---:"] * (len(block.headers) - 1)
            lines = [_render_row(block.headers), _render_row(alignment), *map(_render_row, block.rows)]
            return "\n\n".join([f"### {block.title}", "\n".join(lines), block.note])
        case Image():
            return f"![{block.title}]({block.name})\n\n{block.title}. {block.caption}".rstrip()
        case Facts():
            return "\n".join([f"### {block.title}", "", *(f"- {name}: {value}" for name, value in block.pairs)])
        case Listing():
            return block.text


def _render_row(cells: Sequence[str]) -> str:
    """Render cells as one line; the other lines of a cell, e.g. its interval, are put in parentheses."""
    texts = []
    for cell in cells:
        first, *others = cell.replace("|", "\\|").split("\n")
        texts.append(f"{first} ({'; '.join(others)})" if others else first)
    return f"| {' | '.join(texts)} |"
