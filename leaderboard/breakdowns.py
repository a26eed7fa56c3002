"""What a board's means are made of: by fault category, by kind of token, by outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from evals.models import GradeOutcome, LanguageModel, RunState
from evals.queries import known_mean
from leaderboard import units
from leaderboard.rows import Row, coarse

# Price of each kind of token: the field of LanguageModel, and the column of a score frame.
TOKEN_PRICES = {
    "input": ("price_input", "input_tokens"),
    "cache read": ("price_cache_read", "cache_read_tokens"),
    "cache write": ("price_cache_write", "cache_write_tokens"),
    "output": ("price_output", "output_tokens"),
}
NO_CATEGORY = "none given"


@dataclass(frozen=True)
class CategoryScore:
    """The mean of one model over the tasks of one category: every task weighs the same."""

    category: str
    mean: float  # 0 to 1
    tasks: int


@dataclass(frozen=True)
class TokenUse:
    """Mean tokens of one attempt by kind, or what they cost in US dollars; kinds as in `TOKEN_PRICES`."""

    row: Row
    amounts: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.amounts.values())


def scores_by_category(rows: Sequence[Row], categories: Mapping[int, str]) -> dict[str, list[CategoryScore]]:
    """Return for each model's slug its score in every category of `categories` (task id to category).

    A task of two categories, "Resource, Change", counts for both. Tasks not named there are left out.
    """
    return {row.model.slug: category_scores(row.task_means, categories) for row in rows}


def category_scores(task_means: Mapping[int, float], categories: Mapping[int, str]) -> list[CategoryScore]:
    means: dict[str, list[float]] = {}
    for task, mean in task_means.items():
        for category in split_category(categories[task]) if task in categories else ():
            means.setdefault(category, []).append(mean)
    return [
        CategoryScore(category, sum(values) / len(values), len(values))
        for category, values in sorted(means.items())
    ]


def split_category(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] or [NO_CATEGORY]


def token_use(rows: Sequence[Row], frame: pd.DataFrame) -> list[TokenUse]:
    """Return the mean tokens of an attempt by kind, for the rows whose tokens are all known."""
    ended = frame[frame["state"] == RunState.ENDED]
    by_evaluation = dict(list(ended.groupby("evaluation")))
    uses = []
    for row in rows:
        runs = by_evaluation.get(row.evaluation.pk) if row.evaluation else None
        if runs is None or not runs["tokens_known"].all():
            continue
        means = {kind: known_mean(runs[column]) or 0.0 for kind, (_, column) in TOKEN_PRICES.items()}
        uses.append(TokenUse(row, means))
    return uses


def coarse_use(use: TokenUse) -> TokenUse:
    """Return the use to three digits, of a coarse row; see `leaderboard.rows.coarse`."""
    amounts = {kind: units.significant(tokens, 3) or 0.0 for kind, tokens in use.amounts.items()}
    return TokenUse(coarse(use.row), amounts)


def priced(use: TokenUse, prices: Mapping[str, float | None]) -> TokenUse | None:
    """Return what the tokens cost by kind, or None when the price of a kind that was used is unknown.

    `prices` are US dollars per million tokens. A cache whose price is not known is charged as input.
    """
    costs = {}
    for kind, tokens in use.amounts.items():
        price = prices.get(kind)
        if price is None and kind.startswith("cache"):
            price = prices.get("input")
        if price is None and tokens:
            return None
        costs[kind] = tokens * (price or 0.0) / 1e6
    return TokenUse(use.row, costs)


def prices_of(model: LanguageModel) -> dict[str, float | None]:
    return {kind: getattr(model, field) for kind, (field, _) in TOKEN_PRICES.items()}


def turns_by_outcome(frame: pd.DataFrame) -> dict[str, list[int]]:
    """Return the turns of every graded run, by outcome, in the order of `GradeOutcome`."""
    graded = frame[frame["outcome"].notna()]
    groups = {str(outcome): turns.tolist() for outcome, turns in graded.groupby("outcome")["turns"]}
    return {outcome: groups[outcome] for outcome in GradeOutcome.values if outcome in groups}
