"""Cells of a matrix, thousands on a page where a template's own loop takes a second, and differences."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString

from leaderboard import units
from leaderboard.comparisons import MINUS, bounds, signed
from leaderboard.matrices import Cell

register = template.Library()
register.filter("signed", signed)
register.filter("bounds", bounds)


@register.simple_tag
def matrix_cells(cells: Iterable[Cell]) -> SafeString:
    """Return the table cells of one line, each a link to its runs."""
    return SafeString("".join(matrix_cell(cell) for cell in cells))


def matrix_cell(cell: Cell) -> str:
    # Escaped here: format_html takes five times as long, and a page has thousands of cells.
    title, url = escape(cell.title), escape(cell.url)
    if not url and cell.text:
        return f'<td class="{cell.css_class}"><span title="{title}">{escape(cell.text)}</span></td>'
    if not url:
        return f'<td class="s-none" title="{title}"></td>'
    return f'<td class="{cell.css_class}"><a href="{url}" title="{title}">{escape(cell.text)}</a></td>'


@register.filter
def correlation(value: float | None) -> str:
    return units.UNKNOWN if value is None else f"{value:.2f}".replace("-", MINUS)


@register.filter
def hundredths(share: float) -> str:
    """Return a difference of scores in points, without a sign."""
    return f"{100 * share:.0f}"
