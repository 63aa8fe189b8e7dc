"""A table that stays readable on a narrow terminal: what does not fit beside a row goes below it, whole."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult  # noqa: TID251 - named, not made
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

UNKNOWN: Final = "–"
"""What stands where nothing is known."""

_GAP: Final = 2
_INDENT: Final = 4


class NarrowTable(Table):
    """Values below their headings, as wide as they need; where the console is narrower no word is broken.

    The widest columns then leave the table, one after the other, until the others fit. Each row's values of these stand
    below it behind their headings, folded at words. What names a row, its first column, stays.
    """

    def __init__(self) -> None:
        super().__init__(box=None, header_style="bold", pad_edge=False)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As Rich's own where it fits."""
        if Measurement.get(console, options.update(width=10_000, max_width=10_000), self).maximum <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        rows = [[_text(cell) for cell in row] for row in zip(*(column.cells for column in self.columns), strict=True)]
        widths = self._widths(rows, options.max_width)
        for number, row in enumerate(rows):
            yield self._beside(row, widths, with_headings=number == 0)
            below = [place for place in range(len(row)) if place not in widths and row[place].plain != UNKNOWN]
            if below:
                parts = [Text.assemble((f"{self.columns[place].header} ", "dim"), row[place]) for place in below]
                yield Padding(Text(" · ").join(parts), (0, 0, 0, _INDENT))

    def _widths(self, rows: list[list[Text]], most: int) -> dict[int, int]:
        """The columns that stay in the table, by their places, with their widths."""
        widths = {
            place: max(cell_len(text.plain) for text in (_text(column.header), *(row[place] for row in rows)))
            for place, column in enumerate(self.columns)
        }
        names_row = next((place for place, column in enumerate(self.columns) if _text(column.header).plain), 0)
        widths[names_row] = min(widths[names_row], most // 2)
        while sum(widths.values()) + _GAP * (len(widths) - 1) > most:
            leaving = [place for place in widths if place > names_row]
            if not leaving:
                break
            del widths[max(leaving, key=lambda place: (widths[place], place))]
        return widths

    def _beside(self, row: list[Text], widths: dict[int, int], *, with_headings: bool) -> Table:
        table = Table(box=None, header_style=self.header_style, pad_edge=False, show_header=with_headings)
        for place, width in widths.items():
            column = self.columns[place]
            table.add_column(column.header, justify=column.justify, overflow="fold", width=width)
        table.add_row(*(row[place] for place in widths))
        return table


def _text(value: object) -> Text:
    return value if isinstance(value, Text) else Text(str(value))
