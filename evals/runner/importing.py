"""Runs that were played elsewhere, into the tables: each file whole or not at all, as often as one likes."""

from __future__ import annotations

import pickle
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.text import slugify

from evals.exchange.incoming import IncomingRun, IncomingTurn, TrajectoryFormatError
from evals.exchange.trajectory_files import Found, NoTrajectory, trajectories_at
from evals.grading.ground_truth import GroundTruthFormatError
from evals.models import (
    Benchmark,
    Evaluation,
    EvaluationState,
    LanguageModel,
    Run,
    RunSource,
    RunState,
    Task,
    ToolCall,
    Turn,
)
from evals.runner.grades import grade_run
from evals.runner.store import usage_columns
from evals.trajectory import TurnKind, Usage

ELSEWHERE = "imported"  # the benchmark of runs whose task nobody here knows
TURNS_AT_ONCE = 50
UNNAMED_MODEL = "unnamed model"
NUMBERED = re.compile(r"(?i)(?:scenario[-_ ]?)?0*(\d{1,6})")


class FileState(StrEnum):
    IMPORTED = "imported"
    ALREADY_THERE = "already there"
    REFUSED = "refused"
    LEFT_OUT = "left out"  # no trajectory, in a folder that holds some


@dataclass(frozen=True)
class FileReport:
    """What became of one file. `runs` are ids, of those that were there already too."""

    name: str
    state: FileState
    sentence: str  # why refused, or what came of it
    format: str = ""
    runs: tuple[int, ...] = ()


@dataclass(frozen=True)
class ImportWish:
    """What the person who imports asked for; empty: told by the files themselves."""

    benchmark: str = ""
    task: str = ""
    model: str = ""
    by: int | None = None  # id of a user
    dry_run: bool = False


class ImportRefused(Exception):
    """A wish that can't be granted: a sentence for whoever asked."""


class DryRun(Exception):
    """Takes back what a dry run wrote."""


OnFile = Callable[[FileReport], object]


def import_runs(path: Path, name: str, wish: ImportWish, on_file: OnFile) -> list[FileReport]:
    """Import a file, a folder or an archive, and tell `on_file` of each file as it is done.

    Raises:
        ImportRefused: the wish names a benchmark or a task that is not there.
    """
    check(wish)
    reports: list[FileReport] = []

    def tell(report: FileReport) -> None:
        reports.append(report)
        on_file(report)

    several = path.is_dir() or path.suffix == ".zip"
    try:
        for found in trajectories_at(path, name):
            tell(imported(found, wish, several=several))
    except TrajectoryFormatError as problem:
        tell(FileReport(name, FileState.REFUSED, str(problem)))
    if not any(report.state != FileState.LEFT_OUT for report in reports):
        tell(FileReport(name, FileState.REFUSED, str(NoTrajectory(name))))
    return reports


def check(wish: ImportWish) -> None:
    if wish.benchmark and not Benchmark.objects.filter(slug=wish.benchmark).exists():
        raise ImportRefused(f"There is no benchmark {wish.benchmark!r}.")
    if wish.task and known_task(wish.task, wish.benchmark) is None:
        where = f" of {wish.benchmark}" if wish.benchmark else ", or several benchmarks have it: name one"
        raise ImportRefused(f"There is no task {wish.task!r}{where}.")


def imported(found: Found, wish: ImportWish, *, several: bool) -> FileReport:
    """Import one file; nothing of it is kept when any of it is broken."""
    try:
        with ExitStack() as spools:
            # Read to its end before anything is written: the database is not locked while a file is parsed.
            spooled = [spools.enter_context(spooled_run(run)) for run in found.runs()]
            with transaction.atomic():
                stored = [stored_run(each, wish) for each in spooled]
                if wish.dry_run:
                    raise DryRun
    except NoTrajectory as problem:
        state = FileState.LEFT_OUT if several else FileState.REFUSED
        return FileReport(found.name, state, str(problem))
    except TrajectoryFormatError as problem:
        return FileReport(found.name, FileState.REFUSED, str(problem))
    except DryRun:
        would = tuple(each.run.format for each in spooled)
        return FileReport(
            found.name, FileState.IMPORTED, f"would be imported: {counted(len(would))}", would[0]
        )
    return report_of(found.name, spooled[0].run.format, stored)


def report_of(name: str, file_format: str, stored: list[Stored]) -> FileReport:
    runs = tuple(each.run.pk for each in stored)
    made = [each for each in stored if each.made]
    if not made:
        return FileReport(name, FileState.ALREADY_THERE, "every run of it is there", file_format, runs)
    graded = sum(each.graded for each in made)
    told = [f"{counted(len(made))}", *([f"{graded} graded"] if graded else []), *notes_of(made)]
    return FileReport(name, FileState.IMPORTED, ", ".join(told), file_format, runs)


def notes_of(stored: list[Stored]) -> list[str]:
    return list(dict.fromkeys(each.note for each in stored if each.note))


def counted(runs: int) -> str:
    return f"{runs} run{'' if runs == 1 else 's'}"


# --- Reading ---------------------------------------------------------------------------------------------


@dataclass
class Sums:
    """What the turns of a run come to."""

    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    tokens_known: bool = True
    cost_usd: float | None = 0.0
    duration_s: float = 0.0

    def add(self, turn: IncomingTurn) -> None:
        reply = turn.record.reply
        self.turns += turn.record.kind is TurnKind.REPLY
        self.tokens_known = self.tokens_known and reply.usage is not None
        told = reply.usage or Usage()
        self.usage = Usage(
            self.usage.input_tokens + told.input_tokens,
            self.usage.cache_read_tokens + told.cache_read_tokens,
            self.usage.cache_write_tokens + told.cache_write_tokens,
            self.usage.output_tokens + told.output_tokens,
            self.usage.reasoning_tokens + told.reasoning_tokens,
        )
        known = self.cost_usd is not None and reply.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0.0) + (reply.cost_usd or 0.0) if known else None
        self.duration_s += reply.duration_s + sum(seen.duration_s for seen in turn.record.observations)


@dataclass(frozen=True)
class Spooled:
    """A run whose turns lie in a file: however long it is, one turn is in memory at a time."""

    run: IncomingRun
    sums: Sums
    file: IO[bytes]

    def turns(self) -> Iterator[IncomingTurn]:
        self.file.seek(0)
        while True:
            try:
                # Written by this very process a moment ago.
                yield pickle.load(self.file)  # noqa: S301
            except EOFError:
                return


@contextmanager
def spooled_run(run: IncomingRun) -> Iterator[Spooled]:
    sums = Sums()
    with tempfile.TemporaryFile(prefix="itbench-import-") as file:
        for turn in run.turns():
            sums.add(turn)
            pickle.dump(turn, file, pickle.HIGHEST_PROTOCOL)
        yield Spooled(run, sums, file)


# --- Writing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    run: Run
    made: bool  # False: it was there
    graded: bool = False
    note: str = ""


def stored_run(spooled: Spooled, wish: ImportWish) -> Stored:
    incoming = spooled.run
    if known := RunSource.objects.filter(sha256=incoming.sha256).select_related("run").first():
        return Stored(known.run, made=False)
    task = task_of(incoming, wish)
    evaluation = evaluation_of(incoming, task.benchmark, wish)
    run = Run.objects.create(evaluation=evaluation, task=task, **columns_of(spooled, evaluation, task))
    store_turns(run, spooled)
    RunSource.objects.create(
        run=run, format=incoming.format, name=incoming.name[:400], sha256=incoming.sha256,
        unmapped=incoming.unmapped, imported_by_id=wish.by,
    )  # fmt: skip
    evaluation.repeats = max(evaluation.repeats, run.repeat)
    evaluation.turn_cap = max(evaluation.turn_cap, run.turns_total)
    evaluation.save(update_fields=["repeats", "turn_cap"])
    return graded_or_not(run, incoming)


def graded_or_not(run: Run, incoming: IncomingRun) -> Stored:
    if not run.task.ground_truth_text:
        why = f"no task here is called {incoming.task!r}" if incoming.task else "it names no task"
        return Stored(run, made=True, note=f"not graded: {why}")
    if run.state != RunState.ENDED:
        return Stored(run, made=True, note="not graded: it errored where it was played")
    try:
        grade_run(run)
    except GroundTruthFormatError as problem:
        return Stored(
            run, made=True, note=f"not graded: the ground truth of {run.task} can't be read: {problem}"
        )
    return Stored(run, made=True, graded=True)


def columns_of(spooled: Spooled, evaluation: Evaluation, task: Task) -> dict[str, object]:
    incoming, sums = spooled.run, spooled.sums
    last = Run.objects.filter(evaluation=evaluation, task=task).aggregate(last=Max("repeat"))["last"]
    ended_at = incoming.ended_at or incoming.started_at or timezone.now()
    return {
        "repeat": (last or 0) + 1,
        "attempt": 1,
        "state": RunState.ERRORED if incoming.error else RunState.ENDED,
        "stop_reason": "" if incoming.error else incoming.stop_reason,
        "finish_reason": incoming.finish_reason,
        "error": incoming.error[:4000],
        "started_at": incoming.started_at,
        "ended_at": ended_at,
        "submission": incoming.submission,
        "unsubmitted": incoming.unsubmitted,
        "turns_total": sums.turns,
        "duration_s": duration_of(incoming, sums),
        **totals_of(incoming, sums),
    }


def totals_of(incoming: IncomingRun, sums: Sums) -> dict[str, object]:
    """Return tokens and cost: what the source tells of the whole run goes before the sum of its turns."""
    told, summed = incoming.totals, sums.usage
    known = told.input_tokens is not None and told.output_tokens is not None
    return {
        "input_tokens": told.input_tokens if known else summed.input_tokens,
        "cache_read_tokens": (told.cache_read_tokens or 0) if known else summed.cache_read_tokens,
        "cache_write_tokens": (told.cache_write_tokens or 0) if known else summed.cache_write_tokens,
        "output_tokens": told.output_tokens if known else summed.output_tokens,
        "reasoning_tokens": summed.reasoning_tokens,
        "tokens_known": known or sums.tokens_known,
        "cost_usd": sums.cost_usd if told.cost_usd is None else told.cost_usd,
    }


def duration_of(incoming: IncomingRun, sums: Sums) -> float:
    if sums.duration_s or not (incoming.started_at and incoming.ended_at):
        return sums.duration_s
    return max((incoming.ended_at - incoming.started_at).total_seconds(), 0.0)


def store_turns(run: Run, spooled: Spooled) -> None:
    turns = spooled.turns()
    while batch := list(islice(turns, TURNS_AT_ONCE)):
        rows = Turn.objects.bulk_create(turn_row(run, turn) for turn in batch)
        ToolCall.objects.bulk_create(
            call for row, turn in zip(rows, batch, strict=True) for call in call_rows(row, turn)
        )


def turn_row(run: Run, turn: IncomingTurn) -> Turn:
    record = turn.record
    return Turn(
        run=run,
        number=record.number,
        kind=record.kind,
        message=record.reply.text,
        reasoning=record.reply.reasoning,
        finish_reason=record.reply.finish_reason,
        provider_fields=record.reply.provider_fields,
        given=[{"source": told.source, "text": told.text} for told in turn.given],
        unmapped=turn.unmapped,
        cost_usd=record.reply.cost_usd,
        model_s=record.reply.duration_s,
        started_at=record.started_at,
        **usage_columns(record.reply.usage),
    )


def call_rows(row: Turn, turn: IncomingTurn) -> Iterator[ToolCall]:
    observations = turn.record.observations
    for place, call in enumerate(turn.record.reply.tool_calls):
        seen = observations[place] if place < len(observations) else None
        yield ToolCall(
            turn=row,
            number=place + 1,
            call_id=call.id,
            tool=call.name,
            arguments=call.arguments,
            command=seen.command if seen else "",
            output=seen.output if seen else None,
            output_bytes=seen.bytes_before_cut if seen else 0,
            exit_code=seen.exit_code if seen else None,
            timed_out=seen.timed_out if seen else False,
            duration_s=seen.duration_s if seen else 0.0,
        )


# --- What a run belongs to -------------------------------------------------------------------------------


def task_of(incoming: IncomingRun, wish: ImportWish) -> Task:
    """Return the task that the wish or the file names, or one made for what nobody here knows."""
    known = known_task(wish.task or incoming.task, wish.benchmark)
    if known is not None:
        return known
    elsewhere, _ = Benchmark.objects.get_or_create(
        slug=ELSEWHERE,
        defaults={
            "name": "Imported runs",
            "description": "Runs of tasks that are not on this site: shown, never graded, never ranked.",
        },
    )
    title = incoming.task or PurePosixPath(incoming.name).name.partition(".")[0]
    slug = slugify(title)[:80].strip("-_") or "unnamed"
    task, _ = Task.objects.get_or_create(benchmark=elsewhere, slug=slug, defaults={"title": title[:200]})
    return task


def known_task(name: str, benchmark: str) -> Task | None:
    """Return the task of that name; None where there is none, or more than one."""
    last = PurePosixPath(name).name.strip()
    if not last:
        return None
    wanted = Q(slug__iexact=last)
    if numbered := NUMBERED.fullmatch(last):
        wanted |= Q(slug=f"scenario-{numbered.group(1)}")
    tasks = Task.objects.filter(wanted).exclude(benchmark__slug=ELSEWHERE).select_related("benchmark")
    found = list((tasks.filter(benchmark__slug=benchmark) if benchmark else tasks)[:2])
    return found[0] if len(found) == 1 else None


def evaluation_of(incoming: IncomingRun, benchmark: Benchmark, wish: ImportWish) -> Evaluation:
    """Return the evaluation that holds this model's runs by this version of this harness."""
    now = timezone.now()
    evaluation, _ = Evaluation.objects.get_or_create(
        benchmark=benchmark,
        language_model=model_of(wish.model or incoming.model),
        harness=incoming.harness[:80] or "unknown",
        harness_version=incoming.harness_version[:80],
        defaults={
            "repeats": 1, "turn_cap": 1, "concurrency": 1, "state": EvaluationState.ENDED,
            "started_at": incoming.started_at or now, "ended_at": incoming.ended_at or now,
            "requested_by_id": wish.by,
        },
    )  # fmt: skip
    return evaluation


def model_of(name: str) -> LanguageModel:
    """Return the model by its slug, its LiteLLM name or its name, with or without its provider before it."""
    told = name.strip() or UNNAMED_MODEL
    last = told.rpartition("/")[2] or told
    slug = slug_of(last)
    same = Q(slug=slug) | Q(litellm_model=told) | Q(name__iexact=told) | Q(name__iexact=last)
    if known := LanguageModel.objects.filter(same).order_by("pk").first():
        return known
    return LanguageModel.objects.create(slug=slug, name=last[:120])


def slug_of(name: str) -> str:
    kept = re.sub(r"[^a-z0-9._-]+", "-", name.lower())
    return re.sub(r"[-._]{2,}", "-", kept).strip("-._")[:80].strip("-._") or "model"
