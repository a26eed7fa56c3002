"""ATIF trajectories, versions 1.0 to 1.8, as runs. A file of any size takes the memory of its largest step.

https://harborframework.com/docs/trajectory-format
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from evals.agent.tools import storable
from evals.exchange.atif_calls import EXTRA
from evals.exchange.atif_steps import ATIF
from evals.exchange.atif_turns import SOURCES, Counts, incoming_turn
from evals.exchange.atif_writer import UNKNOWN_VERSION
from evals.exchange.fields import Fields, clean, moment_of
from evals.exchange.incoming import IncomingRun, IncomingTotals, IncomingTurn
from evals.exchange.json_members import Opener, members
from evals.exchange.json_text import bytes_of
from evals.models import RunState
from evals.trajectory import StopReason

VERSIONS = tuple(f"ATIF-v1.{minor}" for minor in range(9))
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One file of a trajectory; an agent that summed up goes on in another one."""

    name: str  # within what was handed in
    open: Opener


@dataclass
class Scan:
    """What a first reading tells of a whole trajectory."""

    top: dict[str, Any] = field(default_factory=dict)  # members of the last part but its steps
    after: list[dict[str, Any]] = field(default_factory=list)  # steps behind the last reply
    model: str = ""
    first: datetime | None = None
    last: datetime | None = None
    steps: int = 0


def read_atif(parts: Sequence[Part]) -> IncomingRun:
    """Read a trajectory, which several files may hold one after the other.

    Raises:
        TrajectoryFormatError: a part is no ATIF; nothing of any part can be relied upon.
    """
    scan = scanned(parts)
    name = parts[0].name
    top = Fields(scan.top, name, "")
    top.one_of("schema_version", VERSIONS)
    agent = Fields(top.left.get("agent"), name, "agent")
    if not agent.left.get("name"):
        raise agent.problem("name", "the name of what played it expected")
    version = agent.text("version")
    extra, metrics = top.object("extra"), top.object("final_metrics")
    facts = extra.object(EXTRA)
    told = facts.object("run")
    task = Fields(facts.left.get("task") or {}, name, f"extra.{EXTRA}.task")
    run = IncomingRun(
        format="atif",
        name=name,
        sha256=digest_of(parts),
        harness=agent.text("name"),
        harness_version="" if version == UNKNOWN_VERSION else version,
        model=agent.text("model_name") or scan.model,
        task=task.text("slug"),
        stop_reason=stop_reason_of(told),
        finish_reason=told.text("finish_reason"),
        submission=answer_of(told, "submission"),
        unsubmitted=answer_of(told, "unsubmitted"),
        error=error_of(told),
        started_at=told.moment("started_at") or scan.first,
        ended_at=told.moment("ended_at") or scan.last,
        totals=totals_of(metrics, scan.steps),
        turns=lambda: turns_of(parts, Scan()),
    )
    others = facts.object("unmapped").left
    facts.left |= kept("run", told.left)
    rest = top.rest | kept("extra", extra.left) | kept("final_metrics", metrics.left)
    unmapped = {key: value for key, value in others.items() if key not in (ATIF, EXTRA)}
    unmapped |= {ATIF: rest | kept("after", scan.after)} | kept(EXTRA, facts.left)
    return replace(run, unmapped=clean(unmapped))


def kept(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value else {}


def scanned(parts: Sequence[Part]) -> Scan:
    scan = Scan()
    for _ in turns_of(parts, scan):
        pass
    if not scan.steps:
        raise Fields({}, parts[0].name, "").problem("steps", "at least one step expected")
    return scan


def turns_of(parts: Sequence[Part], scan: Scan) -> Iterator[IncomingTurn]:
    """Yield the turns of all parts, and note in `scan` what else there is."""
    number = 0
    before: list[Fields] = []
    for step in steps_of(parts, scan):
        if step.left.get("source") != "agent":
            before.append(step)
            scan.after.append(step.left)
            continue
        del step.left["source"]
        number += 1
        yield incoming_turn(step, before, number)
        before, scan.after = [], []


def steps_of(parts: Sequence[Part], scan: Scan) -> Iterator[Fields]:
    for place, part in enumerate(parts):
        top: dict[str, Any] = {}
        for number, step in enumerate(steps_in(part, top)):
            fields = Fields(step, part.name, f"steps[{number}]")
            check(fields)
            # A part that goes on begins with what the part before it ended with.
            if place and fields.left.get("source") == "agent" and fields.left.get("is_copied_context"):
                continue
            note(fields, scan)
            yield fields
        # Totals stand in the last part; what only an earlier one tells is kept as well.
        scan.top.pop("continued_trajectory_ref", None)
        scan.top |= top


def steps_in(part: Part, top: dict[str, Any]) -> Iterator[Any]:
    """Yield the steps of a part, and put its other members into `top`."""
    for key, value in members(part.open, part.name, "steps"):
        if key == "steps":
            yield value
        else:
            top[key] = value


def check(step: Fields) -> None:
    step.count("step_id")
    if step.left.get("source") not in SOURCES:
        step.one_of("source", SOURCES)


def note(step: Fields, scan: Scan) -> None:
    scan.steps += 1
    scan.model = scan.model or storable(str(step.left.get("model_name") or ""))
    timestamp = step.left.get("timestamp")
    if moment := moment_of(timestamp) if isinstance(timestamp, str) else None:
        scan.first = scan.first or moment
        scan.last = moment


OF_ALL = Counts("total_prompt_tokens", "total_completion_tokens", "total_cached_tokens")
RECOMPUTED = ("turns", "duration_s")  # of ours, from the turns themselves


def totals_of(metrics: Fields, steps: int) -> IncomingTotals:
    """Return what a trajectory says of itself as a whole, and leave in `metrics` what is not said so."""
    if metrics.left.get("total_steps") == steps:
        del metrics.left["total_steps"]
    cost_usd = metrics.amount("total_cost_usd")
    extra = metrics.left.get("extra")
    if isinstance(extra, dict) and isinstance(ours := extra.get(EXTRA), dict):
        told = {name: value for name, value in ours.items() if name not in RECOMPUTED}
        metrics.left["extra"] = extra | {EXTRA: told}
    usage = OF_ALL.usage(metrics)
    if usage is None:
        return IncomingTotals(cost_usd)
    return IncomingTotals(
        cost_usd, usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens
    )


def stop_reason_of(told: Fields) -> StopReason:
    if told.left.get("stop_reason") is None:
        return StopReason.GAVE_UP
    return StopReason(told.one_of("stop_reason", tuple(StopReason)))


def error_of(told: Fields) -> str:
    """Return why a run of ours errored; empty where the agent came to its end, or nobody says."""
    state = told.left.get("state", RunState.ENDED)
    if state == RunState.ENDED:
        return ""
    if state != RunState.ERRORED:
        raise told.problem("state", f"{str(state)[:40]!r}; a run that came to its end expected")
    return told.text("error") or "It errored where it was played."


def answer_of(told: Fields, field: str) -> bytes | None:
    form = told.left.pop(field, None)
    if form is not None and not isinstance(form, dict):
        raise told.problem(field, "an object expected")
    try:
        return bytes_of(form)
    except ValueError as problem:
        raise told.problem(field, f"{problem}; text or base64 expected") from problem


def digest_of(parts: Sequence[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        with part.open() as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()
