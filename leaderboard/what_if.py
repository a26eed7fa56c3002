"""What a model would cost at another price."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from leaderboard import units
from leaderboard.breakdowns import TOKEN_PRICES, TokenUse, priced, prices_of
from leaderboard.charts import Chart, cost_chart
from leaderboard.rows import Row

FIELDS = {kind: f"price_{kind.replace(' ', '_')}" for kind in TOKEN_PRICES}
DEAREST = 10_000.0  # US dollars per million tokens: far above any real price


@dataclass(frozen=True)
class WhatIf:
    """A model at prices that a visitor chose, US dollars per million tokens."""

    model: str  # slug; empty: none chosen
    prices: Mapping[str, float | None]  # by kind of token; None: as it is
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What the chosen prices come to."""

    row: Row
    before_usd: float | None  # a task
    after_usd: float
    sentence: str
    chart: Chart  # score against cost, with that model at its new place


def read_what_if(query: QueryDict) -> WhatIf:
    problems: list[str] = []
    prices = {kind: read_price(query.get(field, ""), kind, problems) for kind, field in FIELDS.items()}
    return WhatIf((query.get("what_if") or "")[:80], prices, tuple(problems))


def read_price(text: str, kind: str, problems: list[str]) -> float | None:
    if not text.strip():
        return None
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not 0 <= price <= DEAREST:  # NaN is not either
        problems.append(
            f"The price of {kind} tokens is “{text[:40]}”: write US dollars per million, 0 to {DEAREST:,.0f}."
        )
        return None
    return price


def answered(asked: WhatIf, rows: Sequence[Row], uses: Sequence[TokenUse]) -> tuple[Answer | None, list[str]]:
    """Return what the prices come to, or None with a sentence on why there is no answer."""
    if not asked.model:
        return None, list(asked.problems)
    use = next((use for use in uses if use.row.model.slug == asked.model), None)
    if use is None:
        return None, [*asked.problems, f"No tokens are known of a model “{asked.model}” on this board."]
    current = prices_of(use.row.model)
    prices = {kind: current[kind] if price is None else price for kind, price in asked.prices.items()}
    cost = priced(use, prices)
    if cost is None:
        return None, [*asked.problems, f"{use.row.name} has no price to start from: give input and output."]
    changed = replace(use.row, cost_per_task_usd=cost.total)
    drawn = [changed if row.model == use.row.model else row for row in rows if row.mean is not None]
    sentence = in_words(use.row, cost.total)
    chart = replace(cost_chart(drawn), name="what-if", finding=sentence)
    return Answer(use.row, use.row.cost_per_task_usd, cost.total, sentence, chart), list(asked.problems)


def in_words(row: Row, after_usd: float) -> str:
    said = f"{row.name} would cost {units.dollars(after_usd)} a task"
    return (
        said if row.cost_per_task_usd is None else f"{said} instead of {units.dollars(row.cost_per_task_usd)}"
    )
