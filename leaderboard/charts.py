"""Plotly figures of a board, as JSON without a look.

Colours are written as the name of a custom property of the stylesheet, "var(--accent)": static/js/charts.js
puts in what the visitor's theme says and draws again when that changes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from leaderboard import units
from leaderboard.labels import Mark, label_positions
from leaderboard.rows import Row
from leaderboard.units import percent

# So many names fit into a chart beside each other.
MOST_NAMES = 24
SYMBOL_OF = {True: "diamond", False: "circle", None: "circle"}


@dataclass(frozen=True)
class Chart:
    """One figure with what a reader needs when it is not drawn."""

    name: str  # also the id of its element
    finding: str  # the title: what the figure shows, in a sentence
    figure: dict[str, Any]  # data and layout for Plotly; empty when there is nothing to draw
    axis: str  # what lies to the right
    left_out: tuple[Row, ...]  # scored rows whose place is unknown: named below the figure


def board_charts(rows: Sequence[Row]) -> list[Chart]:
    """Return score versus cost and score versus turns, or nothing when no row has a score."""
    scored = [row for row in rows if row.mean is not None]
    return [cost_chart(scored), turns_chart(scored)] if scored else []


def cost_chart(rows: Sequence[Row]) -> Chart:
    drawn = [row for row in rows if row.cost_per_task_usd is not None]
    positions, axis = cost_axis([row.cost_per_task_usd or 0.0 for row in drawn])
    return Chart(
        name="score-versus-cost",
        finding=of_those_known(cost_finding(drawn), "cost", drawn, rows),
        figure=scatter(drawn, positions, axis, frontier(drawn, lambda row: row.cost_per_task_usd)),
        axis="cost per task",
        left_out=tuple(row for row in rows if row.cost_per_task_usd is None),
    )


def turns_chart(rows: Sequence[Row]) -> Chart:
    drawn = [row for row in rows if row.turns_per_task is not None]
    positions = [row.turns_per_task or 0.0 for row in drawn]
    most = max(positions, default=1.0)
    axis = {"title": {"text": "turns per task"}, "range": [0, max(most * 1.15, 1)], "type": "linear"}
    return Chart(
        name="score-versus-turns",
        finding=of_those_known(turns_finding(drawn), "number of turns", drawn, rows),
        figure=scatter(drawn, positions, axis, frontier(drawn, lambda row: row.turns_per_task)),
        axis="turns per task",
        left_out=tuple(row for row in rows if row.turns_per_task is None),
    )


def cost_axis(costs: list[float]) -> tuple[list[float], dict[str, Any]]:
    """Return where each cost stands, and the axis: logarithmic, with a lane of its own for what is free.

    A logarithm has no place for 0: free models stand left of the cheapest paid one, behind a line.
    Where nothing is paid there is no scale to draw, only that lane.
    """
    title = {"text": "cost per task, US dollars (log scale)"}
    paid = [cost for cost in costs if cost > 0]
    free = costs.count(0)
    if not paid:
        lane = {"type": "linear", "range": [-1, 1], "tickvals": [0], "ticktext": ["free"]}
        return side_by_side(free, 0.0, 0.12), {"title": {"text": "cost per task"}, **lane}
    low, high = math.log10(min(paid)), math.log10(max(paid))
    margin = max(0.3, 0.6 - (high - low) / 2)
    free_at = low - margin - 0.2 * (high - low)
    values, texts = money_ticks(low - margin, high + margin)
    left = low - margin
    if free:
        values, texts, left = [10**free_at, *values], ["free", *texts], free_at - 0.3
        values, texts = without_crowding(values, texts)
    axis = {"type": "log", "range": [left, high + margin], "tickvals": values, "ticktext": texts}
    lane_places = iter(side_by_side(free, free_at, 0.06))
    return [cost if cost > 0 else 10 ** next(lane_places) for cost in costs], {"title": title, **axis}


def side_by_side(number: int, middle: float, step: float) -> list[float]:
    """Return places around the middle: marks at one place would hide each other's intervals."""
    return [middle + step * (place - (number - 1) / 2) for place in range(number)]


def without_crowding(values: Sequence[float], texts: Sequence[str]) -> tuple[list[float], list[str]]:
    """Leave out ticks of money that stand in the lane of what is free, the first of them."""
    clear = 10 ** (math.log10(values[0]) + 0.25)
    kept = [place for place, value in enumerate(values) if place == 0 or value > clear]
    return [values[place] for place in kept], [texts[place] for place in kept]


def money_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Return the values 1, 3, 10, 30 ... between two exponents of ten, and their texts."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    values = [10.0**power * step for power in powers for step in (1, 3)]
    values = [value for value in values if low <= math.log10(value) <= high]
    return values, [round_dollars(value) for value in values]


def round_dollars(value: float) -> str:
    return f"${value:,.0f}" if value >= 1 else units.dollars(value)


def frontier(rows: Sequence[Row], price: Callable[[Row], float | None]) -> list[int]:
    """Return the places in `rows` that no other beats in score at the same price or less, cheapest first."""
    order = sorted(
        range(len(rows)), key=lambda place: (price(rows[place]) or 0.0, -(rows[place].mean or 0.0))
    )
    best, places = -1.0, []
    for place in order:
        if (score := rows[place].mean or 0.0) > best:
            best = score
            places.append(place)
    return places


def scatter(
    rows: Sequence[Row], positions: Sequence[float], axis: dict[str, Any], frontier_places: Sequence[int]
) -> dict[str, Any]:
    if not rows:
        return {}
    layout = {"xaxis": axis, "yaxis": score_axis(rows)}
    traces = [
        frontier_trace(rows, positions, frontier_places),
        marks_trace(rows, positions, layout, frontier_places),
    ]
    figure = go.Figure(data=traces, layout=layout)
    figure.layout.template = None  # 6 kB of somebody else's look
    plain: dict[str, Any] = figure.to_plotly_json()
    return plain


def score_axis(rows: Sequence[Row]) -> dict[str, Any]:
    """Return an axis around the marks and their intervals; it ends at 0 and 1 where they come near."""
    low = min((row.interval.low if row.interval else row.mean or 0.0) for row in rows)
    high = max((row.interval.high if row.interval else row.mean or 0.0) for row in rows)
    low, high = low - 0.06, high + 0.08
    low = -0.03 if low < 0.2 else low
    return {"title": {"text": "score"}, "range": [low, min(high, 1.05)], "tickformat": ".0%"}


def frontier_trace(rows: Sequence[Row], positions: Sequence[float], places: Sequence[int]) -> go.Scatter:
    return go.Scatter(
        x=[positions[place] for place in places],
        y=[rows[place].mean for place in places],
        mode="lines",
        line={"color": "var(--frontier)", "width": 1.5, "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )


def marks_trace(
    rows: Sequence[Row], positions: Sequence[float], layout: dict[str, Any], frontier_places: Sequence[int]
) -> go.Scatter:
    names = named_only(short_names(rows), frontier_places)
    marks = [mark(x, row, name, layout) for x, row, name in zip(positions, rows, names, strict=True)]
    return go.Scatter(
        x=list(positions),
        y=[row.mean for row in rows],
        mode="markers+text",
        text=names,
        textposition=label_positions(marks, [marks[place] for place in frontier_places]),
        cliponaxis=False,
        marker={
            "size": 10,
            "symbol": [SYMBOL_OF[row.model.open_weights] for row in rows],
            "color": [
                "var(--accent)" if place in frontier_places else "var(--mark)" for place in range(len(rows))
            ],
            "line": {"width": 1.5, "color": "var(--surface)"},
        },
        error_y=interval_bars(rows),
        # What a click opens, what a pointer reads, and whether the name stays where there is little room.
        customdata=[
            [row.model.get_absolute_url(), hover_text(row), place in frontier_places]
            for place, row in enumerate(rows)
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
        showlegend=False,
    )


def interval_bars(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [row.interval.high - (row.mean or 0.0) if row.interval else None for row in rows],
        "arrayminus": [(row.mean or 0.0) - row.interval.low if row.interval else None for row in rows],
        "color": "var(--interval)",
        "thickness": 1,
        "width": 0,
    }


def named_only(names: Sequence[str], frontier_places: Sequence[int]) -> list[str]:
    """Return the names, empty for the lesser ones where all together could not be read."""
    if len(names) <= MOST_NAMES:
        return list(names)
    return [
        name if place < MOST_NAMES // 2 or place in frontier_places else ""
        for place, name in enumerate(names)
    ]


def short_names(rows: Sequence[Row]) -> list[str]:
    """Return the models' names, with the setting where two would read alike."""
    names = Counter(row.model.name for row in rows)
    return [plain(row.model.name if names[row.model.name] == 1 else row.name) for row in rows]


def mark(x: float, row: Row, name: str, layout: dict[str, Any]) -> Mark:
    across, upward = share_of_axes(x, row.mean or 0.0, layout)
    if row.interval is None:
        return Mark(across, upward, name, upward, upward)
    low = share_of_axes(x, row.interval.low, layout)[1]
    return Mark(across, upward, name, low, share_of_axes(x, row.interval.high, layout)[1])


def share_of_axes(x: float, y: float, layout: dict[str, Any]) -> tuple[float, float]:
    """Return the place as shares of the axes, 0 to 1 each."""
    (left, right), (bottom, top) = layout["xaxis"]["range"], layout["yaxis"]["range"]
    across = math.log10(x) if layout["xaxis"]["type"] == "log" else x
    return (across - left) / (right - left), (y - bottom) / (top - bottom)


def hover_text(row: Row) -> str:
    lines = [f"<b>{plain(row.name)}</b>", f"score {percent(row.mean)}"]
    if row.interval:
        lines[1] += f" ({percent(row.interval.low)} to {percent(row.interval.high)})"
    if row.cost_per_task_usd is not None:
        lines.append(f"{units.dollars(row.cost_per_task_usd)} a task" if row.cost_per_task_usd else "free")
    if row.turns_per_task is not None:
        lines.append(f"{row.turns_per_task:.0f} turns a task")
    if row.model.open_weights is not None:
        lines.append("open weights" if row.model.open_weights else "closed weights")
    return "<br>".join(lines)


def plain(text: str) -> str:
    """Plotly reads a small HTML of its own in hover texts and labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def of_those_known(finding: str, what: str, drawn: Sequence[Row], rows: Sequence[Row]) -> str:
    """Say so when the finding is about some of the rows only."""
    if not drawn or len(drawn) == len(rows):
        return finding
    return f"Of the {len(drawn)} with a known {what}: {finding}"


def cost_finding(rows: Sequence[Row]) -> str:
    if not rows:
        return "No cost is known"
    leader = max(rows, key=lambda row: row.mean or 0.0)
    paid = [row for row in rows if row.cost_per_task_usd]
    if not paid:
        return "Every model here is free to run"
    best_places = frontier(rows, lambda row: row.cost_per_task_usd)
    cheapest = rows[best_places[0]]
    if cheapest is leader:
        return f"Nothing scores more than {leader.model.name}, and nothing costs less"
    return (
        f"{cheapest.model.name} reaches {percent(cheapest.mean)} {for_money(cheapest)}; "
        f"{leader.model.name} {percent(leader.mean)} {for_money(leader)}"
    )


def for_money(row: Row) -> str:
    return f"for {units.dollars(row.cost_per_task_usd)} a task" if row.cost_per_task_usd else "for nothing"


def turns_finding(rows: Sequence[Row]) -> str:
    if not rows:
        return "No turns are known"
    leader = max(rows, key=lambda row: row.mean or 0.0)
    longest = max(rows, key=lambda row: row.turns_per_task or 0.0)
    if longest is leader:
        return f"{leader.model.name} scores most and takes most turns: {leader.turns_per_task:.0f} a task"
    return (
        f"{leader.model.name} needs {leader.turns_per_task:.0f} turns a task for {percent(leader.mean)}; "
        f"{longest.model.name} takes {longest.turns_per_task:.0f} for {percent(longest.mean)}"
    )
