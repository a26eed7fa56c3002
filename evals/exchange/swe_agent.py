"""SWE-agent's trajectories: `.traj`, with its steps, or with the conversation alone.

https://swe-agent.com/latest/usage/trajectories/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from evals.exchange.chat import Call, ChatMessage, Turns, amount, call_of, text_of, whole
from evals.exchange.incoming import IncomingRun, IncomingTotals, IncomingTurn, TrajectoryFormatError
from evals.exchange.streams import Document, kept
from evals.trajectory import StopReason

NAME = "swe-agent"
SHELL = "bash"
STOPS = {
    "exit_cost": StopReason.COST_LIMIT,
    "exit_total_execution_time": StopReason.TIME_LIMIT,
    "exit_command_timeout": StopReason.TIME_LIMIT,
    "exit_context": StopReason.CONTEXT_FULL,
}


def read(document: Document) -> IncomingRun:
    info = document.value("info") or {}
    if not isinstance(info, dict):
        raise TrajectoryFormatError(document.name, "info", "an object expected")
    if not any(True for _ in turns(document)):
        raise TrajectoryFormatError(document.name, "trajectory", "at least one step expected")
    status, submission = str(info.get("exit_status") or ""), info.get("submission")
    stats = info.get("model_stats") or {}
    return IncomingRun(
        format=NAME,
        name=document.name,
        sha256=document.sha256(),
        harness=NAME,
        harness_version=str(info.get("swe_agent_version") or ""),
        model=model_of(document),
        stop_reason=stop_reason(status, submission),
        submission=submission.encode(errors="replace")
        if isinstance(submission, str) and submission
        else None,
        finish_reason=status,
        error=f"{NAME} ended with {status}" if "error" in status else "",
        totals=IncomingTotals(
            cost_usd=amount(stats.get("instance_cost")),
            input_tokens=whole(stats.get("tokens_sent")),
            cache_read_tokens=0 if "tokens_sent" in stats else None,
            cache_write_tokens=0 if "tokens_sent" in stats else None,
            output_tokens=whole(stats.get("tokens_received")),
        ),
        turns=lambda: turns(document),
        unmapped=kept(
            info={key: value for key, value in info.items() if key != "submission"},
            environment=document.value("environment"),
        ),
    )


def model_of(document: Document) -> str:
    """Return the model's name out of the settings that a trajectory may carry, as an object or as text."""
    config = document.value("replay_config")
    try:
        config = json.loads(config) if isinstance(config, str) else config
        return str(config["agent"]["model"]["name"])
    except (TypeError, KeyError, ValueError, RecursionError):
        return ""


def stop_reason(status: str, submission: Any) -> StopReason:
    if status.startswith("submitted") or (not status and submission):
        return StopReason.SUBMITTED
    return STOPS.get(status, StopReason.GAVE_UP)


def turns(document: Document) -> Iterator[IncomingTurn]:
    if document.value("trajectory.item") is None:
        return Turns().of(conversation(document))
    return Turns().of(steps(document))


def steps(document: Document) -> Iterator[ChatMessage]:
    """Yield what was told before the first reply, then a reply and its result for each step."""
    for message in conversation(document):
        if message.role == "assistant":
            break
        yield message
    for number, step in enumerate(document.items("trajectory.item")):
        if not isinstance(step, dict):
            raise TrajectoryFormatError(document.name, f"trajectory[{number}]", "an object expected")
        command = text_of(step.get("action")).strip("\n")
        said = text_of(step.get("response") or step.get("thought"))
        calls = (Call("", SHELL, json.dumps({"command": command}, ensure_ascii=False), command),)
        yield ChatMessage(
            "assistant", said, calls=calls if command else (), unmapped=kept(state=step.get("state"))
        )
        observed = text_of(step.get("observation"))
        if command:
            yield ChatMessage("tool", observed, duration_s=amount(step.get("execution_time")) or 0.0)
        elif observed:
            yield ChatMessage("user", observed)


def conversation(document: Document) -> Iterator[ChatMessage]:
    for number, raw in enumerate(document.items("history.item")):
        if not isinstance(raw, dict) or not isinstance(raw.get("role"), str):
            raise TrajectoryFormatError(document.name, f"history[{number}]", "an object with a role expected")
        if raw["role"] != "assistant":
            answers = raw.get("tool_call_ids")
            known = str(answers[0]) if isinstance(answers, list) and answers else ""
            yield ChatMessage(raw["role"], text_of(raw.get("content")), answers=known)
            continue
        calls = [call_of(call) for call in raw.get("tool_calls") or []]
        action = text_of(raw.get("action")).strip("\n")
        if len(calls) == 1 and action:
            # What was typed: the call names a command of SWE-agent's own, with its arguments apart.
            calls = [Call(calls[0].id, calls[0].name, calls[0].arguments, action)]
        elif action and not calls:
            calls = [Call("", SHELL, json.dumps({"command": action}, ensure_ascii=False), action)]
        yield ChatMessage("assistant", text_of(raw.get("content")), calls=tuple(calls))
