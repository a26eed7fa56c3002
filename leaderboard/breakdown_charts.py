"""The figures of a benchmark's page of charts, each with its finding and the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median
from typing import Any

import plotly.graph_objects as go

from evals.models import GradeOutcome
from leaderboard import units
from leaderboard.breakdowns import TOKEN_PRICES, CategoryScore, TokenUse
from leaderboard.charts import SYMBOL_OF, hover_text, score_axis, short_names
from leaderboard.grids import STEPS
from leaderboard.rows import OUTCOME_LABELS, Row
from leaderboard.units import percent

ROW_HEIGHT = 26  # of a bar with its name, in pixels
AROUND = 64  # axes and margins, in pixels
MOST_BARS = 40  # more can't be read; the table has all
TOKEN_COLOURS = {
    "input": "var(--s3)",
    "cache read": "var(--s1)",
    "cache write": "var(--s2)",
    "output": "var(--s5)",
}
FAILURES: dict[str, str] = {
    GradeOutcome.OVER_REPORTED: "naming too much",
    GradeOutcome.MISSED: "missing a root cause",
    GradeOutcome.NO_ANSWER: "ending without an answer",
}


@dataclass(frozen=True)
class TableBehind:
    """What a figure shows, in words and numbers with their units."""

    headers: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Breakdown:
    """One figure of the page."""

    name: str  # also the id of its element
    finding: str  # the title: what the figure shows, in a sentence
    about: str  # the line below it: what is drawn
    figure: dict[str, Any]
    height: int  # in pixels
    table: TableBehind
    note: str = ""
    key: tuple[tuple[str, str], ...] = ()  # label and colour of each layer


def as_json(traces: Sequence[Any], layout: Mapping[str, Any]) -> dict[str, Any]:
    figure = go.Figure(data=list(traces), layout=dict(layout))
    figure.layout.template = None  # 6 kB of somebody else's look
    made: dict[str, Any] = figure.to_plotly_json()
    return made


def outcome_mix(rows: Sequence[Row]) -> Breakdown | None:
    """Return how the runs of each model came out, best model on top."""
    drawn = [row for row in rows if row.outcomes][:MOST_BARS]
    if not drawn:
        return None
    names = short_names(drawn)
    shares = [{part.outcome: part.width for part in row.outcomes} for row in drawn]
    traces = [
        bars(drawn, [each.get(outcome, 0.0) for each in shares], label, f"var(--{outcome})", percent)
        for outcome, label in OUTCOME_LABELS.items()
    ]
    lines = [
        (row.name, *(percent(each.get(outcome, 0.0)) for outcome in OUTCOME_LABELS))
        for row, each in zip(drawn, shares, strict=True)
    ]
    return Breakdown(
        name="outcome-mix",
        finding=outcome_finding(shares),
        about="share of runs by outcome",
        figure=as_json(traces, stacked({"tickformat": ".0%", "range": [0, 1]}, names)),
        height=ROW_HEIGHT * len(drawn) + AROUND,
        table=TableBehind(("Model", *OUTCOME_LABELS.values()), tuple(lines)),
        key=outcome_key(each for share in shares for each in share),
    )


def outcome_key(outcomes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    there = set(outcomes)
    return tuple(
        (label, f"var(--{outcome})") for outcome, label in OUTCOME_LABELS.items() if outcome in there
    )


def outcome_finding(shares: Sequence[Mapping[str, float]]) -> str:
    """Say which failure is the commonest over the models drawn, each weighing the same."""
    failures = [outcome for outcome in OUTCOME_LABELS if outcome != GradeOutcome.EXACT]
    means = {outcome: sum(each.get(outcome, 0.0) for each in shares) / len(shares) for outcome in failures}
    worst = max(means, key=lambda outcome: means[outcome])
    if not means[worst]:
        return "Every run names the root causes and nothing else"
    words = FAILURES.get(worst, "an error of ours")
    return f"The commonest failure is {words}: {percent(means[worst])} of runs"


def bars(
    rows: Sequence[Row], widths: Sequence[float], label: str, colour: str, text: Callable[[float], str]
) -> go.Bar:
    """Return one layer of stacked bars, a bar a model."""
    names = short_names(rows)
    return go.Bar(
        y=names,
        x=list(widths),
        orientation="h",
        showlegend=False,
        marker={"color": colour},
        customdata=[
            [row.model.get_absolute_url(), f"<b>{name}</b><br>{label}: {text(width)}", True]
            for row, name, width in zip(rows, names, widths, strict=True)
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )


def stacked(xaxis: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {
        "barmode": "stack",
        "bargap": 0.35,
        "xaxis": xaxis,
        # Plotly counts upwards; the best model stands on top.
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category", "tickvals": list(names)},
    }


def category_heatmap(rows: Sequence[Row], scores: Mapping[str, Sequence[CategoryScore]]) -> Breakdown | None:
    """Return models against fault categories, coloured by score."""
    drawn = [row for row in rows if scores.get(row.model.slug)][:MOST_BARS]
    tasks = {each.category: each.tasks for row in drawn for each in scores[row.model.slug]}
    if len(tasks) < 2:
        return None
    categories, names = sorted(tasks), short_names(drawn)
    addresses = [row.model.get_absolute_url() for row in drawn]
    by_row = [{each.category: each.mean for each in scores[row.model.slug]} for row in drawn]
    trace = go.Heatmap(
        x=categories,
        y=names,
        z=[[means.get(category) for category in categories] for means in by_row],
        zmin=0,
        zmax=1,
        colorscale=score_scale(),
        showscale=False,
        xgap=2,
        ygap=2,
        customdata=[
            [
                [address, f"<b>{name}</b><br>{category}: {percent(means.get(category))}", True]
                for category in categories
            ]
            for address, name, means in zip(addresses, names, by_row, strict=True)
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )  # fmt: skip
    layout = {
        "xaxis": {"type": "category", "showgrid": False, "automargin": True},
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category", "showgrid": False},
    }
    overall = {
        category: mean([means[category] for means in by_row if category in means]) for category in categories
    }
    hardest, easiest = min(overall, key=lambda c: overall[c]), max(overall, key=lambda c: overall[c])
    return Breakdown(
        name="score-by-category",
        finding=f"{hardest} is hardest, {percent(overall[hardest])} on average; "
        f"{easiest} easiest, {percent(overall[easiest])}",
        about="score by fault category; a task of two categories counts for both",
        figure=as_json([trace], layout),
        height=ROW_HEIGHT * len(drawn) + AROUND,
        table=TableBehind(
            ("Model", *(f"{category} ({tasks[category]})" for category in categories)),
            tuple(
                (row.name, *(percent(means.get(category)) for category in categories))
                for row, means in zip(drawn, by_row, strict=True)
            ),
        ),
        note="The number of tasks stands behind each category in the table.",
    )


def score_scale() -> list[tuple[float, str]]:
    """Return the site's scale of scores in its six steps, as Plotly takes it."""
    edges = (0.0, *STEPS, 1.0)
    return [(edge, f"var(--s{step})") for step, ends in enumerate(pairwise(edges)) for edge in ends]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def score_by_release(rows: Sequence[Row]) -> Breakdown | None:
    """Return score against the day a model came out, with the best so far as a line."""
    drawn = sorted(
        (row for row in rows if row.mean is not None and row.model.released),
        key=lambda row: (row.model.released, row.mean),
    )
    days = [str(row.model.released) for row in drawn]
    if len(set(days)) < 2:
        return None
    best = list(accumulate((row.mean or 0.0 for row in drawn), max))
    line = go.Scatter(
        x=days,
        y=best,
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        line={"color": "var(--frontier)", "width": 1.5, "dash": "dot", "shape": "hv"},
    )
    layout = {"xaxis": {"type": "date", "title": {"text": "released"}}, "yaxis": score_axis(drawn)}
    return Breakdown(
        name="score-by-release",
        finding=release_finding(days, best),
        about="score against the day of release; diamonds have open weights",
        figure=as_json([line, release_marks(drawn, days, best)], layout),
        height=320,
        table=TableBehind(
            ("Released", "Model", "Score"),
            tuple((day, row.name, percent(row.mean)) for row, day in zip(drawn, days, strict=True)),
        ),
        note=left_out(len(rows) - len(drawn), "day of release"),
    )


def release_marks(rows: Sequence[Row], days: Sequence[str], best: Sequence[float]) -> go.Scatter:
    """Return a mark for each row; those that were the best of their day are named."""
    leading = [row.mean == so_far for row, so_far in zip(rows, best, strict=True)]
    return go.Scatter(
        x=list(days),
        y=[row.mean for row in rows],
        mode="markers+text",
        text=[name if leads else "" for name, leads in zip(short_names(rows), leading, strict=True)],
        # A name to the left of the first marks would run out of the figure.
        textposition=["top right" if day == days[0] else "top left" for day in days],
        cliponaxis=False,
        marker={
            "size": 9,
            "symbol": [SYMBOL_OF[row.model.open_weights] for row in rows],
            "color": ["var(--accent)" if leads else "var(--mark)" for leads in leading],
        },
        customdata=[
            [row.model.get_absolute_url(), f"{hover_text(row)}<br>{day}", leads]
            for row, day, leads in zip(rows, days, leading, strict=True)
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
        showlegend=False,
    )


def release_finding(days: Sequence[str], best: Sequence[float]) -> str:
    if best[-1] == best[0]:
        return f"The best score stands at {percent(best[0])} since {days[0][:7]}"
    top = days[best.index(best[-1])]
    return f"The best score rose from {percent(best[0])} in {days[0][:7]} to {percent(best[-1])} in {top[:7]}"


def left_out(number: int, what: str) -> str:
    return f"{number} not drawn: {what} unknown." if number else ""


def turns_of_outcomes(turns: Mapping[str, Sequence[int]]) -> Breakdown | None:
    """Return the distribution of turns over runs, a histogram stacked by outcome."""
    if not turns:
        return None
    most = max(max(values) for values in turns.values())
    width = max(1, round(most / 25))
    starts = list(range(0, most + 1, width))
    label_of = {str(outcome): label for outcome, label in OUTCOME_LABELS.items()}
    counts = {outcome: binned(values, width, len(starts)) for outcome, values in turns.items()}
    total = sum(map(len, turns.values()))
    traces = [
        go.Bar(
            x=[start + width / 2 for start in starts],
            y=[round(count / total, 2) for count in numbers],
            width=width,
            showlegend=False,
            marker={"color": f"var(--{outcome})"},
            hovertemplate=f"{label_of[outcome]}: %{{y:.1%}} of runs<extra></extra>",
        )
        for outcome, numbers in counts.items()
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.05,
        "xaxis": {"title": {"text": "turns of a run"}, "range": [0, starts[-1] + width]},
        "yaxis": {"tickformat": ".0%", "title": {"text": "share of runs"}},
    }
    return Breakdown(
        name="turns-by-outcome",
        finding=turns_finding({label_of[outcome]: median(values) for outcome, values in turns.items()}),
        about="turns of a run, by its outcome",
        figure=as_json(traces, layout),
        height=320,
        table=TableBehind(
            ("Outcome", "Share of runs", "Median turns", "Fewest", "Most"),
            tuple(
                (
                    label_of[outcome],
                    percent(len(values) / total),
                    f"{median(values):.0f}",
                    str(min(values)),
                    str(max(values)),
                )
                for outcome, values in turns.items()
            ),
        ),
        key=outcome_key(turns),
    )


def binned(values: Sequence[int], width: int, bins: int) -> list[int]:
    counts = [0] * bins
    for value in values:
        counts[value // width] += 1
    return counts


def turns_finding(medians: Mapping[str, float]) -> str:
    said = [f"{label} ones {turns:.0f}" for label, turns in medians.items()]
    said[0] = said[0].replace(" ones ", " runs take ", 1)
    return f"{said[0].capitalize()} turns in the median{', ' if said[1:] else ''}{', '.join(said[1:])}"


def amounts_of(use: TokenUse, kinds: Sequence[str]) -> list[float]:
    return [use.amounts[kind] for kind in kinds]


def cost_by_kind(costs: Sequence[TokenUse]) -> Breakdown | None:
    """Return what an attempt costs, by kind of token, dearest on top; models of known prices only."""
    drawn = sorted((cost for cost in costs if cost.total > 0), key=lambda cost: -cost.total)[:MOST_BARS]
    if not drawn:
        return None
    rows = [cost.row for cost in drawn]
    names = short_names(rows)
    kinds = [kind for kind in TOKEN_PRICES if any(cost.amounts[kind] for cost in drawn)]
    traces = [
        bars(rows, [cost.amounts[kind] for cost in drawn], kind, TOKEN_COLOURS[kind], units.dollars)
        for kind in kinds
    ]
    totals = {kind: sum(cost.amounts[kind] for cost in drawn) for kind in kinds}
    largest = max(totals, key=lambda kind: totals[kind])
    share = percent(totals[largest] / sum(totals.values()))
    return Breakdown(
        name="cost-by-token-kind",
        finding=f"{largest.capitalize()} tokens make up {share} of the cost",
        about="cost of one attempt by kind of token, at the prices of the models' pages",
        figure=as_json(traces, stacked({"tickprefix": "$", "title": {"text": "US dollars a task"}}, names)),
        height=ROW_HEIGHT * len(drawn) + AROUND + 16,
        table=TableBehind(
            ("Model", *kinds, "together"),
            tuple(
                (cost.row.name, *(units.dollars(amount) for amount in (*amounts_of(cost, kinds), cost.total)))
                for cost in drawn
            ),
        ),
        key=tuple((kind, TOKEN_COLOURS[kind]) for kind in kinds),
    )  # fmt: skip
