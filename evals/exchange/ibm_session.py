"""IBM's ITBench-Trajectories: `session.jsonl`, a line an event, with `agent_output.json` beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from evals.exchange.chat import ChatMessage, Turns, call_of, text_of
from evals.exchange.incoming import IncomingRun, IncomingTurn, TrajectoryFormatError
from evals.exchange.streams import Document, check_depth, kept, moment
from evals.trajectory import StopReason

NAME = "ibm-session"
FILE = "session.jsonl"
ANSWER = "agent_output.json"
LARGEST_LINE_BYTES = 64 * 1024 * 1024
LARGEST_ANSWER_BYTES = 2 * 1024 * 1024
SCENARIO = re.compile(r"(?i)scenario[-_ ]?\d+")


def read(document: Document, answer: Document | None) -> IncomingRun:
    first, last, model, version, replies = None, None, "", "", 0
    for _, payload, at in events(document):
        first, last = first or at, at or last
        model = model or str(payload.get("model") or "")
        version = version or str(payload.get("cli_version") or "")
        replies += payload.get("type") in ("message", "function_call") and payload.get("role") != "user"
    if not replies:
        raise TrajectoryFormatError(document.name, "", "a reply of the model expected")
    submission = answer_of(answer)
    return IncomingRun(
        format=NAME,
        name=document.name,
        sha256=document.sha256(),
        harness="itbench-sre-agent",
        harness_version=version,
        model=model,
        task=task_of(document.name),
        started_at=first,
        ended_at=last,
        stop_reason=StopReason.GAVE_UP if submission is None else StopReason.SUBMITTED,
        submission=submission,
        turns=lambda: turns(document),
    )


def task_of(name: str) -> str:
    """Return the scenario of the folder it lies in: `sre/Scenario-31/1/session.jsonl`."""
    return next((part for part in reversed(PurePosixPath(name).parts) if SCENARIO.fullmatch(part)), "")


def answer_of(document: Document | None) -> bytes | None:
    if document is None:
        return None
    with document.open() as file:
        return file.read(LARGEST_ANSWER_BYTES)


def events(document: Document) -> Iterator[tuple[int, dict[str, Any], Any]]:
    """Yield the number of each line, its payload, and when it was written."""
    with document.open() as file:
        number = 0
        while line := file.readline(LARGEST_LINE_BYTES + 1):
            number += 1
            if len(line) > LARGEST_LINE_BYTES:
                raise TrajectoryFormatError(
                    document.name, f"line {number}", f"at most {LARGEST_LINE_BYTES:,} bytes expected"
                )
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except (ValueError, RecursionError) as problem:
                raise TrajectoryFormatError(
                    document.name, f"line {number}", "a JSON object expected"
                ) from problem
            check_depth(event, document.name, f"line {number}")
            payload = event.get("payload") if isinstance(event, dict) else None
            if not isinstance(payload, dict):
                raise TrajectoryFormatError(
                    document.name, f"line {number}", "an object with a payload expected"
                )
            yield number, payload, moment(event.get("timestamp"))


def turns(document: Document) -> Iterator[IncomingTurn]:
    return Turns().of(messages(document))


def messages(document: Document) -> Iterator[ChatMessage]:
    """Join what belongs to one reply: reasoning, words and calls come as events of their own."""
    reply: ChatMessage | None = None
    for _, payload, at in events(document):
        part = part_of(payload, at)
        if part is None:
            continue
        if part.role == "assistant":
            reply = part if reply is None else joined(reply, part)
            continue
        if reply is not None:
            yield reply
            reply = None
        yield part
    if reply is not None:
        yield reply


def joined(reply: ChatMessage, part: ChatMessage) -> ChatMessage:
    return replace(
        reply,
        text="\n\n".join(filter(None, (reply.text, part.text))),
        reasoning="\n\n".join(filter(None, (reply.reasoning, part.reasoning))),
        calls=reply.calls + part.calls,
    )


def part_of(payload: dict[str, Any], at: Any) -> ChatMessage | None:
    kind = payload.get("type")
    if kind == "message":
        return ChatMessage(str(payload.get("role") or "assistant"), text_of(payload.get("content")), at=at)
    if kind == "reasoning":
        thought = text_of(payload.get("content")) or text_of(payload.get("summary"))
        return ChatMessage("assistant", "", reasoning=thought, at=at)
    if kind in ("function_call", "custom_tool_call", "local_shell_call"):
        return ChatMessage("assistant", "", calls=(call_of(payload),), at=at, unmapped=kept())
    if kind in ("function_call_output", "custom_tool_call_output"):
        text, code = output_of(payload.get("output"))
        return ChatMessage("tool", text, answers=str(payload.get("call_id") or ""), exit_code=code, at=at)
    return None


def output_of(raw: Any) -> tuple[str, int | None]:
    """Return the output and the exit code; some wrap both in a JSON text."""
    read = raw
    if isinstance(raw, str) and raw.startswith("{"):
        try:
            read = json.loads(raw)
        except (ValueError, RecursionError):
            return raw, None
    if not isinstance(read, dict):
        return text_of(raw), None
    metadata = read.get("metadata")
    code = metadata.get("exit_code") if isinstance(metadata, dict) else read.get("exit_code")
    text = read.get("output", read.get("content"))
    return text_of(raw if text is None else text), code if type(code) is int and abs(code) < 2**31 else None
