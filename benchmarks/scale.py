"""A board as large as any: language models, tasks, runs and their grades, drawn from a seed.

Models differ in ability and tasks in difficulty, so that a board has a clear order and ties; every grade
is the real grader's of an answer that is stored. Turns are made of the runs by `benchmarks.scale_turns`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate, pairwise
from random import Random
from typing import Any

from django.db import transaction

from benchmarks.scale_turns import TURN_S, make_turns
from evals.agent.prompts import read_prompt
from evals.grading.ground_truth import parse_ground_truth
from evals.grading.mistaken import mistakes_in
from evals.grading.precision import grade
from evals.models import (
    Benchmark,
    Evaluation,
    EvaluationState,
    Grade,
    LanguageModel,
    Run,
    RunState,
    SandboxKind,
    Split,
    Task,
)
from evals.runner.grades import verdicts_of
from evals.trajectory import StopReason

SLUG = "scale"
CREATORS = "ABCDEFGHIJKLMNOPQRST"
# Category of a fault, and the kind of the entity that causes it.
CATEGORIES = {
    "configuration": "ConfigMap",
    "resources": "Deployment",
    "network": "NetworkPolicy",
    "storage": "PersistentVolumeClaim",
    "quota": "ResourceQuota",
    "autoscaling": "HorizontalPodAutoscaler",
}
SERVICES = ("ad", "cart", "checkout", "currency", "email", "payment", "quote", "search", "shipping")
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_RELEASE = date(2025, 1, 1)
UNREADABLE = b"I could not find the cause."


@dataclass(frozen=True)
class Scale:
    """How much to make."""

    models: int = 100
    public_tasks: int = 40
    held_out_tasks: int = 19
    repeats: int = 3
    turns: int = 1_000_000  # of all runs together, exactly
    seed: int = 1

    @property
    def tasks(self) -> int:
        return self.public_tasks + self.held_out_tasks

    @property
    def runs(self) -> int:
        return self.models * self.tasks * self.repeats

    @property
    def turn_cap(self) -> int:
        """The cap of one run: 100 for the usual 56 turns a run."""
        return math.ceil(1.77 * self.turns / self.runs)


@dataclass(frozen=True)
class Attempt:
    """One run before it has turns."""

    evaluation: Evaluation
    task: Task
    repeat: int
    started: datetime
    stop_reason: StopReason | None  # None: it errored
    answer: bytes | None


def seed(scale: Scale) -> Benchmark:
    """Store a whole benchmark with its runs, grades and turns."""
    random = Random(scale.seed)
    with transaction.atomic():
        benchmark = Benchmark.objects.create(
            slug=SLUG, name="Scale", turn_cap=scale.turn_cap, repeats=scale.repeats, synthetic=True
        )
        tasks = Task.objects.bulk_create(task(benchmark, n, scale) for n in range(scale.tasks))
        models = LanguageModel.objects.bulk_create(language_model(random, n + 1) for n in range(scale.models))
        evaluations = Evaluation.objects.bulk_create(
            evaluation(benchmark, model, n, scale) for n, model in enumerate(models)
        )
        runs = store_runs(random, list(attempts(random, evaluations, tasks, scale)), scale)
    make_turns([run.pk for run in runs], scale.seed)
    return benchmark


# --- What is evaluated, and on what -----------------------------------------------------------------


def task(benchmark: Benchmark, number: int, scale: Scale) -> Task:
    category = list(CATEGORIES)[number % len(CATEGORIES)]
    service = SERVICES[number % len(SERVICES)]
    # The public and the held-out tasks alternate, so that both have all categories.
    held_out = (
        number + 1
    ) * scale.held_out_tasks // scale.tasks > number * scale.held_out_tasks // scale.tasks
    text = json.dumps(ground_truth(number), indent=1)
    return Task(
        benchmark=benchmark,
        slug=f"scenario-{number + 1}",
        title=f"A fault of {category} takes {service} down",
        split=Split.HELD_OUT if held_out else Split.PUBLIC,
        fault_category=category,
        ground_truth=parse_ground_truth(text).to_json(),
        ground_truth_text=text,
        ground_truth_sha256=sha256(text.encode()).hexdigest(),
        alert_summary=[alert(service, place) for place in range(1 + number % 5)],
    )


def ground_truth(number: int) -> dict[str, object]:
    service = SERVICES[number % len(SERVICES)]
    causes = [
        {"id": name, "kind": kind, "namespace": "shop", "filter": [f"^{name}$"], "root_cause": True}
        for kind, name in root_causes(number)
    ]
    victim = {"id": service, "kind": "Service", "namespace": "shop", "filter": [f"^{service}$"]}
    spread = {"source": causes[0]["id"], "target": service, "condition": "it is set", "effect": "it fails"}
    return {"groups": [*causes, victim], "aliases": [], "propagations": [spread]}


def root_causes(number: int) -> list[tuple[str, str]]:
    """Return kind and name of each; every third task has two."""
    kinds = list(CATEGORIES.values())
    return [
        (kinds[(number + place) % len(kinds)], f"{SERVICES[number % len(SERVICES)]}-{number + 1}-{place + 1}")
        for place in range(2 if number % 3 == 2 else 1)
    ]


def alert(service: str, place: int) -> dict[str, object]:
    return {
        "name": f"HighErrorRate{place + 1}",
        "service": service,
        "severity": "critical" if place == 0 else "warning",
        "count": place + 1,
        "since": "",
        "first_seen": f"2026-01-01T10:{place:02}:00Z",
        "last_seen": f"2026-01-01T10:{place + 20:02}:00Z",
        "namespace": "shop",
    }


def language_model(random: Random, number: int) -> LanguageModel:
    """Return a model; every twelfth has no known price, and one in twenty is free."""
    price = 0.0 if number % 20 == 7 else round(10 ** random.uniform(-1.3, 1.0), 3)
    known = number % 12 != 0
    return LanguageModel(
        slug=f"model-{number:03}",
        name=f"Model {number:03}",
        setting="high" if number % 5 == 0 else "",
        creator=f"Creator {CREATORS[number % len(CREATORS)]}",
        litellm_model=f"hosted_vllm/model-{number:03}",
        open_weights=None if number % 17 == 0 else number % 3 == 0,
        reasoning=number % 2 == 0,
        released=FIRST_RELEASE + timedelta(days=5 * number),
        context_window=128_000,
        price_input=price if known else None,
        price_output=4 * price if known else None,
        price_cache_read=0.1 * price if known else None,
        price_cache_write=1.25 * price if known else None,
    )


def evaluation(benchmark: Benchmark, model: LanguageModel, number: int, scale: Scale) -> Evaluation:
    prompt = read_prompt()
    started = FIRST_DAY + timedelta(days=number)
    # A run a minute, and the last of them may take all its turns.
    span = timedelta(minutes=scale.tasks * scale.repeats, seconds=TURN_S * scale.turn_cap)
    return Evaluation(
        benchmark=benchmark,
        language_model=model,
        started_at=started,
        ended_at=started + span,
        repeats=scale.repeats,
        turn_cap=scale.turn_cap,
        sandbox=SandboxKind.DOCKER,
        prompt_name=prompt.name,
        prompt_text=prompt.text,
        prompt_sha256=prompt.sha256,
        state=EvaluationState.ENDED,
    )


# --- Runs and their grades --------------------------------------------------------------------------


def attempts(
    random: Random, evaluations: Sequence[Evaluation], tasks: Sequence[Task], scale: Scale
) -> Iterator[Attempt]:
    abilities = [2.5 - 5 * place / len(evaluations) for place in range(len(evaluations))]
    random.shuffle(abilities)
    difficulties = [random.gauss(0.3, 1.2) for _ in tasks]
    for place, (ability, made) in enumerate(zip(abilities, evaluations, strict=True)):
        for number, (difficulty, on) in enumerate(zip(difficulties, tasks, strict=True)):
            chance = 1 / (1 + math.exp(difficulty - ability))
            for repeat in range(1, scale.repeats + 1):
                errored = place % 10 == 1 and random.random() < 0.05
                answer = None if errored else drawn_answer(random, chance, number)
                stop = None if errored else drawn_stop(random, answer)
                started = FIRST_DAY + timedelta(days=place, minutes=scale.repeats * number + repeat)
                yield Attempt(made, on, repeat, started, stop, answer)


def drawn_answer(random: Random, chance: float, number: int) -> bytes | None:
    """Return the answer to a task by an agent that finds all causes by that chance."""
    causes = [f"shop/{kind}/{name}" for kind, name in root_causes(number)]
    if random.random() < chance:
        return answer_naming(causes, wrong=random.choices((0, 1, 2, 3, 5), (60, 16, 12, 8, 4))[0])
    if random.random() < 0.85:
        return answer_naming(causes[1:], wrong=random.randint(1, 3))
    return random.choice((None, None, UNREADABLE))


def answer_naming(causes: list[str], wrong: int) -> bytes:
    names = [*causes, *(f"shop/Pod/innocent-{n}" for n in range(wrong))]
    return json.dumps({"contributing_factors": [{"name": name} for name in names]}).encode()


def drawn_stop(random: Random, answer: bytes | None) -> StopReason:
    if answer is not None:
        return StopReason.SUBMITTED
    return random.choice((StopReason.GAVE_UP, StopReason.TURN_CAP, StopReason.CONTEXT_FULL))


def store_runs(random: Random, drawn: Sequence[Attempt], scale: Scale) -> list[Run]:
    lengths = turns_of(random, drawn, scale)
    runs = Run.objects.bulk_create(
        (run(attempt, turns) for attempt, turns in zip(drawn, lengths, strict=True)), batch_size=1000
    )
    Grade.objects.bulk_create(
        (grade_row(each) for each in runs if each.state == RunState.ENDED), batch_size=1000
    )
    return runs


def turns_of(random: Random, drawn: Sequence[Attempt], scale: Scale) -> list[int]:
    """Return the turns of each attempt: the cap where it ended the run, and `scale.turns` in all."""
    capped = [attempt.stop_reason == StopReason.TURN_CAP for attempt in drawn]
    rest, others = scale.turns - sum(capped) * scale.turn_cap, capped.count(False)
    # Spread evenly from half to one and a half times the mean: chance alone could pass the cap.
    weights = [0.5 + (place + 0.5) / others for place in range(others)]
    random.shuffle(weights)
    ends = [round(rest * so_far / others) for so_far in accumulate(weights, initial=0.0)]
    lengths = (end - start for start, end in pairwise(ends))
    return [scale.turn_cap if at_cap else next(lengths) for at_cap in capped]


def run(attempt: Attempt, turns: int) -> Run:
    """Return a run as it ended; `make_turns` adds the totals of its turns."""
    errored = attempt.stop_reason is None
    number = int(attempt.evaluation.language_model.slug.removeprefix("model-"))
    return Run(
        evaluation=attempt.evaluation,
        task=attempt.task,
        repeat=attempt.repeat,
        attempt=1,
        state=RunState.ERRORED if errored else RunState.ENDED,
        stop_reason=attempt.stop_reason or "",
        error="SandboxError: the container is gone" if errored else "",
        started_at=attempt.started,
        ended_at=attempt.started + timedelta(seconds=TURN_S * turns),
        submission=attempt.answer,
        turns_total=turns,
        tokens_known=number % 25 != 0,
    )


def grade_row(of: Run) -> Grade:
    return Grade(
        run=of,
        ground_truth_sha256=of.task.ground_truth_sha256,
        **graded(of.task.ground_truth_text, of.submission),
    )


# A task has a dozen answers here, each given by many models.
@lru_cache(maxsize=4096)
def graded(truth: str, answer: bytes | None) -> dict[str, Any]:
    """Return the real grader's grade as fields of a row."""
    known = parse_ground_truth(truth)
    result = grade(known, answer)
    told = result.to_json() | {"verdicts": verdicts_of(result, mistakes_in(known, result))}
    return {"grader_version": told.pop("version"), **told}
