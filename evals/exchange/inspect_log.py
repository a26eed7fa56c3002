"""Inspect's `.eval` logs: a zip of a header and of samples, read member by member.

https://inspect.aisi.org.uk/eval-logs.html
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from evals.agent.tools import storable
from evals.exchange.archives import open_member, opened_archive
from evals.exchange.chat import ChatMessage, Turns, amount, call_of, text_of, usage_of
from evals.exchange.incoming import IncomingRun, IncomingTotals, IncomingTurn, TrajectoryFormatError
from evals.exchange.streams import Document, kept, moment
from evals.trajectory import StopReason, Usage

NAME = "inspect"
HEADER = "header.json"
SAMPLE = re.compile(r"samples/[^/]+_epoch_\d+\.json")
# "tc://" is how the first versions wrote it.
ATTACHMENT = re.compile(r"(?:attachment|tc)://([0-9a-f]{32})")
UNMAPPED = ("id", "epoch", "scores", "limit", "target", "metadata")
LIMITS = {
    "message": StopReason.TURN_CAP,
    "turn": StopReason.TURN_CAP,
    "time": StopReason.TIME_LIMIT,
    "working": StopReason.TIME_LIMIT,
    "token": StopReason.COST_LIMIT,
    "cost": StopReason.COST_LIMIT,
    "context": StopReason.CONTEXT_FULL,
}


@dataclass(frozen=True)
class Header:
    """What all samples of a log share."""

    task: str
    model: str
    version: str


def read(path: Path, name: str) -> Iterator[IncomingRun]:
    """Yield a run for each sample and epoch.

    Raises:
        TrajectoryFormatError: it is no such log, or not a safe archive.
    """
    with opened_archive(path, name) as archive:
        names = sorted(filter(SAMPLE.fullmatch, archive.namelist()))
        if HEADER not in archive.namelist():
            raise TrajectoryFormatError(name, HEADER, "the header of a finished log expected")
    if not names:
        raise TrajectoryFormatError(name, "samples", "at least one sample expected")
    header = header_of(Document(f"{name}/{HEADER}", partial(open_member, path, HEADER)))
    for member in names:
        yield run_of(Document(f"{name}/{member}", partial(open_member, path, member)), header)


def header_of(document: Document) -> Header:
    told = document.value("eval")
    if not isinstance(told, dict):
        raise TrajectoryFormatError(document.name, "eval", "an object expected")
    packages = told.get("packages")
    version = packages.get("inspect_ai") if isinstance(packages, dict) else ""
    return Header(str(told.get("task") or ""), str(told.get("model") or ""), str(version or ""))


def run_of(document: Document, header: Header) -> IncomingRun:
    names = ("id", "epoch", "error", "limit", "output", "scores", "model_usage", "started_at", "completed_at",
             "total_time", "target", "metadata")  # fmt: skip
    sample = {name: document.value(name) for name in names}
    output = sample["output"] if isinstance(sample["output"], dict) else {}
    completion = completion_of(output)
    limit = sample["limit"] if isinstance(sample["limit"], dict) else {}
    stopped = LIMITS.get(str(limit.get("type"))) if limit else None
    return IncomingRun(
        format=NAME,
        name=document.name,
        sha256=document.sha256(),
        harness=NAME,
        harness_version=header.version,
        model=header.model,
        task=task_of(header.task, sample["id"]),
        started_at=moment(sample["started_at"]),
        ended_at=moment(sample["completed_at"]),
        stop_reason=stopped or (StopReason.SUBMITTED if completion else StopReason.GAVE_UP),
        submission=completion.encode(errors="replace") if completion and not stopped else None,
        error=error_of(sample["error"]),
        totals=totals_of(sample["model_usage"]),
        turns=lambda: turns(document),
        unmapped=kept(**{name: sample[name] for name in UNMAPPED}),
    )


def task_of(task: str, sample: Any) -> str:
    """Return the sample's name; one that is only a number says nothing without its task's."""
    name = str(sample)
    return name if re.search("[a-zA-Z]", name) else f"{task.rpartition('/')[2]}-{name}".strip("-")


def completion_of(output: dict[str, Any]) -> str:
    choices = output.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    content = message.get("content") if isinstance(message, dict) else ""
    return text_of(output.get("completion") or content)


def error_of(error: Any) -> str:
    if not error:
        return ""
    return str(error.get("message") if isinstance(error, dict) else error)[:4000] or "the sample errored"


def totals_of(by_model: Any) -> IncomingTotals:
    used = [usage_of(usage) for usage in by_model.values()] if isinstance(by_model, dict) else []
    if not used or None in used:
        return IncomingTotals()
    known = [usage for usage in used if usage]
    costs = [amount(usage.get("total_cost")) for usage in by_model.values()]
    return IncomingTotals(
        cost_usd=sum(cost for cost in costs if cost is not None) if None not in costs else None,
        input_tokens=sum(usage.input_tokens for usage in known),
        cache_read_tokens=sum(usage.cache_read_tokens for usage in known),
        cache_write_tokens=sum(usage.cache_write_tokens for usage in known),
        output_tokens=sum(usage.output_tokens for usage in known),
    )


# --- Messages ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What a model event tells of the reply it gave."""

    usage: Usage | None
    seconds: float
    at: Any


def turns(document: Document) -> Iterator[IncomingTurn]:
    with closing(Attachments(document)) as attachments:
        yield from Turns().of(messages(document, attachments))


def messages(document: Document, attachments: Attachments) -> Iterator[ChatMessage]:
    asked = replies_of_events(document)
    for number, raw in enumerate(raw_messages(document)):
        if not isinstance(raw, dict) or not isinstance(raw.get("role"), str):
            raise TrajectoryFormatError(
                document.name, f"messages[{number}]", "an object with a role expected"
            )
        message = message_of(raw, next(asked, None) if raw["role"] == "assistant" else None)
        yield attachments.resolved(message)


def raw_messages(document: Document) -> Iterator[Any]:
    """Yield the sample's conversation, wherever its version keeps it."""
    for prefix in ("messages.item", "events_data.messages.item", "message_pool.item"):
        found = False
        for message in document.items(prefix):
            found = True
            yield message
        if found:
            return


def replies_of_events(document: Document) -> Iterator[Asked]:
    """Yield what each model event tells, in their order: that of the replies."""
    for event in document.items("events.item"):
        if not isinstance(event, dict) or event.get("event") != "model":
            continue
        told = event.get("output")
        output: dict[str, Any] = told if isinstance(told, dict) else {}
        seconds = amount(event.get("working_time") or output.get("time")) or 0.0
        yield Asked(usage_of(output.get("usage")), seconds, moment(event.get("timestamp")))


def message_of(raw: dict[str, Any], asked: Asked | None) -> ChatMessage:
    if raw["role"] == "assistant":
        content = raw.get("content")
        thoughts = [part for part in content if is_reasoning(part)] if isinstance(content, list) else []
        words = [part for part in content if not is_reasoning(part)] if isinstance(content, list) else content
        calls = raw.get("tool_calls")
        return ChatMessage(
            "assistant",
            text_of(words),
            reasoning="\n".join(text_of(part.get("reasoning")) for part in thoughts),
            calls=tuple(call_of(call) for call in calls) if isinstance(calls, list) else (),
            usage=asked.usage if asked else None,
            duration_s=asked.seconds if asked else 0.0,
            at=asked.at if asked else None,
        )
    error = raw.get("error")
    text = text_of(raw.get("content"))
    if isinstance(error, dict):
        text = "\n".join(filter(None, (text, f"{error.get('type')}: {error.get('message')}")))
    return ChatMessage(raw["role"], text, answers=str(raw.get("tool_call_id") or ""))


def is_reasoning(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "reasoning"


class Attachments:
    """Long texts that a sample keeps apart, in a file of their own: they may be larger than the memory."""

    def __init__(self, document: Document) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="itbench-import-")
        self._texts = sqlite3.connect(f"{self._folder.name}/attachments.sqlite3")
        self._texts.execute("CREATE TABLE attachment (hash TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID")
        self._texts.executemany(
            "INSERT OR REPLACE INTO attachment VALUES (?, ?)",
            ((key, storable(text)) for key, text in document.members("attachments") if isinstance(text, str)),
        )

    def close(self) -> None:
        self._texts.close()
        self._folder.cleanup()

    def text(self, found: re.Match[str]) -> str:
        row = self._texts.execute("SELECT text FROM attachment WHERE hash = ?", (found.group(1),)).fetchone()
        return str(row[0]) if row else found.group()

    def resolved(self, message: ChatMessage) -> ChatMessage:
        def whole_text(text: str) -> str:
            return ATTACHMENT.sub(self.text, text)

        calls = tuple(
            replace(call, arguments=whole_text(call.arguments), command=whole_text(call.command))
            for call in message.calls
        )
        return replace(
            message, text=whole_text(message.text), reasoning=whole_text(message.reasoning), calls=calls
        )
