"""What the search page shows: runs that are found, what they can be narrowed by, and the places in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest

from evals.models import (
    Benchmark,
    BoardVersion,
    Evaluation,
    Grade,
    LanguageModel,
    Remark,
    Run,
    RunState,
    Split,
    Task,
    ToolCall,
    Turn,
)
from evals.search.language import Clause, Search, Term
from evals.search.matching import matching
from evals.search.places import Place, places_in
from leaderboard.audience import is_staff
from leaderboard.terminal import one_line
from leaderboard.units import UNKNOWN

A_PAGE = 20
CLAUSES_SHOWN, PLACES_SHOWN = 3, 2  # of a run: places of its first clauses, so many of each
BEFORE, AFTER = 70, 170  # characters of an excerpt
NOT_GRADED = "not graded"
PLAYED_HERE = "here"


class Facts(NamedTuple):
    """What is known of a run without its turns."""

    run: int
    benchmark: str  # slug
    task: str  # slug
    held_out: bool
    model: str  # slug
    model_name: str
    harness: str  # empty: played here
    outcome: str
    score: float | None
    turns: int
    cost_usd: float | None
    repeat: int
    tags: tuple[str, ...]


FACETS = {
    "model": "Model", "task": "Task", "outcome": "Outcome", "tag": "Tag", "benchmark": "Benchmark",
    "played": "Played by",
}  # fmt: skip
# A run has one value of each, but for its tags.
VALUE_OF: dict[str, Callable[[Facts], str]] = {
    **{facet: attrgetter(facet) for facet in FACETS if facet not in ("tag", "played")},
    "played": lambda facts: facts.harness or PLAYED_HERE,
}
OUTCOME_WORDS = {
    "exact": "exact", "over_reported": "over-reported", "missed": "missed", "no_answer": "no answer",
}  # fmt: skip

# The facts of all runs, under the counts of changes they were read at: seconds of work for ten thousand runs.
known_facts: dict[tuple[tuple[int, int], ...], Sequence[Facts]] = {}


def all_facts() -> Sequence[Facts]:
    """Return the facts of every run, the newest first. One query while nothing changed."""
    key = tuple(BoardVersion.objects.order_by("benchmark_id").values_list("benchmark_id", "number"))
    # Other threads read it too: what one has found must not be gone when it is given back.
    facts = known_facts.get(key)
    if facts is None:
        facts = read_facts()
        known_facts.clear()
        known_facts[key] = facts
    return facts


def read_facts() -> Sequence[Facts]:
    """Read the facts of all runs. No query joins: two rows a run are read in a tenth of the time."""
    benchmarks = {each.pk: each for each in Benchmark.objects.only("slug", "grader")}
    models = {each.pk: each for each in LanguageModel.objects.only("slug", "name", "setting")}
    played = ("pk", "benchmark_id", "language_model_id", "harness")
    evaluations = {
        pk: (benchmarks[benchmark], models[model], harness)
        for pk, benchmark, model, harness in Evaluation.objects.order_by().values_list(*played)
    }
    tasks = {pk: told for pk, *told in Task.objects.order_by().values_list("pk", "slug", "split")}
    graded = {
        (run, grader): (outcome, score)
        for run, grader, outcome, score in Grade.objects.order_by("grader_version").values_list(
            "run_id", "grader", "outcome", "score"
        )
    }
    tags: dict[int, list[str]] = {}
    tagged = Remark.objects.exclude(tag="").order_by("tag").values_list("run_id", "tag")
    for run, tag in tagged.distinct():
        tags.setdefault(run, []).append(tag)
    columns = ("pk", "evaluation_id", "task_id", "state", "turns_total", "cost_usd", "repeat")
    facts = []
    rows = Run.objects.order_by("-pk").values_list(*columns)
    for run, evaluation, task, state, turns, cost_usd, repeat in rows:
        benchmark, model, harness = evaluations[evaluation]
        slug, split = tasks[task]
        outcome, score = outcome_of(state, graded.get((run, benchmark.grader)))
        facts.append(
            Facts(run, benchmark.slug, slug, split == Split.HELD_OUT, model.slug, str(model), harness,
                  outcome, score, turns, cost_usd, repeat, tuple(tags.get(run, ())))
        )  # fmt: skip
    return facts


def outcome_of(state: str, grade: tuple[str, float] | None) -> tuple[str, float | None]:
    """Return the outcome in words, or the state of a run without one. Only what ended has a score."""
    if state != RunState.ENDED:
        return state, None
    return (OUTCOME_WORDS[grade[0]], grade[1]) if grade else (NOT_GRADED, None)


# --- Narrowing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    key: str
    title: str
    options: Sequence[Option]

    @property
    def in_use(self) -> bool:
        return any(option.chosen for option in self.options)


@dataclass(frozen=True)
class Excerpt:
    """A place in a run, with a piece of the text that is there."""

    turn: int  # 0: the answer
    call: int
    field: str
    before: str
    match: str
    after: str

    @property
    def place(self) -> str:
        return f"#{self.turn}" if self.turn else UNKNOWN

    @property
    def address(self) -> str:
        """What follows the address of its run, to come to this place with the match in sight."""
        if not self.turn:
            return ""
        return f"?{urlencode({'turn': self.turn, 'find': self.match})}#turn-{self.turn}"


@dataclass(frozen=True)
class FoundRun:
    facts: Facts
    excerpts: Sequence[Excerpt]


@dataclass(frozen=True)
class Found:
    runs: Sequence[FoundRun]  # of this page
    total: int
    since: int  # runs before it were not looked at; 0: all were
    facets: Sequence[Facet]
    page: int
    pages: int

    @property
    def previous(self) -> int | None:
        return self.page - 1 or None

    @property
    def next(self) -> int | None:
        return self.page + 1 if self.page < self.pages else None


def find(request: HttpRequest, search: Search, chosen: Mapping[str, Sequence[str]], page: int) -> Found:
    """Return a page of what the search finds among the runs that this visitor may see."""
    met = matching(search)
    staff = is_staff(request)
    candidates = {facts.run: facts for facts in all_facts() if staff or not facts.held_out}
    found = [candidates[run] for run in met.of(candidates)]
    shown = narrowed(found, chosen)
    pages = max(-(-len(shown) // A_PAGE), 1)
    page = min(max(page, 1), pages)
    on_page = shown[A_PAGE * (page - 1) : A_PAGE * page]
    excerpts = excerpts_of([facts.run for facts in on_page], search)
    return Found(
        runs=[FoundRun(facts, excerpts.get(facts.run, ())) for facts in on_page],
        total=len(shown),
        since=met.since if any(run < met.since for run in candidates) else 0,
        facets=[facet_of(key, found, chosen) for key in FACETS],
        page=page,
        pages=pages,
    )


def narrowed(found: Sequence[Facts], chosen: Mapping[str, Sequence[str]]) -> Sequence[Facts]:
    for facet, values in chosen.items():
        wanted = frozenset(values)
        if facet == "tag" and wanted:
            found = [facts for facts in found if not wanted.isdisjoint(facts.tags)]
        elif wanted:
            value_of = VALUE_OF[facet]
            found = [facts for facts in found if value_of(facts) in wanted]
    return found


def facet_of(key: str, found: Sequence[Facts], chosen: Mapping[str, Sequence[str]]) -> Facet:
    """Count what each value would leave, all other facets as they are."""
    among = narrowed(found, {other: values for other, values in chosen.items() if other != key})
    tags = (tag for facts in among for tag in facts.tags)
    counts = Counter(tags if key == "tag" else map(VALUE_OF[key], among))
    labels = {facts.model: facts.model_name for facts in among} if key == "model" else {}
    picked = chosen.get(key, ())
    values = sorted({*counts, *picked}, key=lambda value: (-counts[value], value))
    options = [Option(value, labels.get(value, value), counts[value], value in picked) for value in values]
    return Facet(key, FACETS[key], options)


# --- Places ------------------------------------------------------------------------------------------------


def excerpts_of(runs: Sequence[int], search: Search) -> dict[int, list[Excerpt]]:
    """Return the first places of each run, in their order, with their texts: three queries read those."""
    clauses = list(islice(search.positive, CLAUSES_SHOWN))
    places = [(place, clause) for clause in clauses for place in places_in(runs, clause, PLACES_SHOWN)]
    texts = texts_at({place for place, _ in places})
    excerpts: dict[int, list[Excerpt]] = {}
    for place, clause in sorted(places, key=lambda each: each[0]):
        excerpt = excerpt_of(place, clause, texts.get(place, {}))
        if excerpt and excerpt not in excerpts.setdefault(place.run, []):
            excerpts[place.run].append(excerpt)
    return excerpts


def texts_at(places: set[Place]) -> dict[Place, dict[str, str]]:
    """Return the texts of each place by field."""
    runs, turns = {place.run for place in places}, {place.turn for place in places}
    texts: dict[Place, dict[str, str]] = {}
    said = Turn.objects.filter(run__in=runs, number__in=turns).order_by()
    for run, turn, message, reasoning in said.values_list("run_id", "number", "message", "reasoning"):
        texts[Place(run, turn, 0)] = {"message": message, "reasoning": reasoning}
    calls = ToolCall.objects.filter(turn__run__in=runs, turn__number__in=turns).order_by()
    columns = ("turn__run_id", "turn__number", "number", "command", "arguments", "output")
    for run, turn, call, command, arguments, output in calls.values_list(*columns):
        texts[Place(run, turn, call)] = {"command": command or arguments, "output": output or ""}
    answered = {place.run for place in places if place.turn == 0}
    for run, answer in Run.objects.filter(pk__in=answered).values_list("pk", "submission"):
        texts[Place(run, 0, 0)] = {"answer": bytes(answer or b"").decode(errors="replace")}
    return texts


def excerpt_of(place: Place, clause: Clause, texts: Mapping[str, str]) -> Excerpt | None:
    for field, text in texts.items():
        if clause.field not in (None, field):
            continue
        if found := next(filter(None, (pattern_of(term).search(text) for term in clause.terms)), None):
            parts = (
                text[max(found.start() - BEFORE, 0) : found.start()],
                found.group(),
                text[found.end() :][:AFTER],
            )
            return Excerpt(place.turn, place.call, field, *(one_line(part) for part in parts))
    return None


def pattern_of(term: Term) -> re.Pattern[str]:
    """Return what the index takes for this term: its words, whatever signs stand between them."""
    between = r"[\W_]+".join(map(re.escape, term.words))
    return re.compile(rf"(?<![^\W_]){between}" + ("" if term.prefix else r"(?![^\W_])"), re.IGNORECASE)
