"""Figures with their tables, as pages have them, as input for chart.js."""

from collections.abc import Sequence
from datetime import date, timedelta

_FIGURE = """<figure class="chart" data-chart="{kind}" data-table="days"
data-hint="Use the arrow keys to move from day to day.">
<figcaption>{kind}</figcaption><div class="chart-plot"></div></figure>"""


def figure(kind: str, first: date, **columns: Sequence[int]) -> str:
    """A figure of one kind and its table, newest day first; the columns, by name, have bytes or counts."""
    heads = "".join(f'<th scope="col" data-column="{name}">{name.title()}</th>' for name in columns)
    rows: list[str] = []
    for i, values in enumerate(zip(*columns.values(), strict=True)):
        day = first + timedelta(i)
        cells = "".join(f'<td data-value="{value}">{value / 10**12:g} TB</td>' for value in values)
        rows.insert(0, f'<tr><th scope="row" data-value="{day}">{day:%-d %b %Y}</th>{cells}</tr>')
    head = f'<thead><tr><th scope="col" data-column="day">Day</th>{heads}</tr></thead>'
    return f'{_FIGURE.format(kind=kind)}<table id="days">{head}<tbody>{"".join(rows)}</tbody></table>'
