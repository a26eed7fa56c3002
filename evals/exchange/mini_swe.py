"""mini-swe-agent's trajectories: `.traj.json`, format 1.1 with its `extra`, and version 1's bare messages.

https://mini-swe-agent.com/latest/usage/output_files/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from evals.exchange.chat import Call, ChatMessage, Turns, amount, call_of, text_of, usage_of
from evals.exchange.incoming import IncomingRun, IncomingTotals, IncomingTurn, TrajectoryFormatError
from evals.exchange.streams import Document, kept, moment
from evals.trajectory import StopReason

NAME = "mini-swe-agent"
FENCED = re.compile(r"```(?:mswea_bash_command|bash|sh)\s*\n(.*?)\n?```", re.DOTALL)
RETURN_CODE = re.compile(r"<returncode>(-?\d{1,6})</returncode>")
HANDS_IN = ("COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", "MINI_SWE_AGENT_FINAL_OUTPUT")
LIMITS = {"LimitsExceeded": StopReason.TURN_CAP, "TimeExceeded": StopReason.TIME_LIMIT}
SHELL = "bash"


def read(document: Document) -> IncomingRun:
    bare = document.value("info") is None
    info: dict[str, Any] = {} if bare else document.value("info")
    if not isinstance(info, dict):
        raise TrajectoryFormatError(document.name, "info", "an object expected")
    prefix = "item" if bare else "messages.item"
    status, submission, times = ended(document, prefix, info)
    stats = info.get("model_stats") or {}
    config = info.get("config") or {}
    model = config.get("model") or {}
    return IncomingRun(
        format=NAME,
        name=document.name,
        sha256=document.sha256(),
        harness=NAME,
        harness_version=str(info.get("mini_version") or ""),
        model=str(model.get("model_name") or ""),
        started_at=times[0],
        ended_at=times[1],
        stop_reason=stop_reason(status, submission),
        submission=None if submission is None else submission.encode(errors="replace"),
        finish_reason=status,
        error=error_of(status),
        totals=IncomingTotals(cost_usd=amount(stats.get("instance_cost"))),
        turns=lambda: turns(document, prefix),
        unmapped=kept(info={key: value for key, value in info.items() if key != "submission"}),
    )


def ended(document: Document, prefix: str, info: dict[str, Any]) -> tuple[str, str | None, tuple[Any, Any]]:
    """Return the exit status, what was handed in, and when the first and last message came."""
    status, submission = str(info.get("exit_status") or ""), info.get("submission")
    asked, last_text, first, last = "", "", None, None
    replies = 0
    for message in messages(document, prefix):
        at = message.at
        first, last = first or at, at or last
        if message.role == "assistant":
            replies += 1
            asked = "".join(call.command for call in message.calls)
        last_text = message.text
    if not replies:
        raise TrajectoryFormatError(document.name, prefix.partition(".")[0], "a reply of the model expected")
    if not status and any(word in asked for word in HANDS_IN):
        status, submission = "Submitted", last_text
    return status, submission if isinstance(submission, str) and submission else None, (first, last)


def stop_reason(status: str, submission: str | None) -> StopReason:
    if submission is not None and status not in LIMITS:
        return StopReason.SUBMITTED
    return LIMITS.get(status, StopReason.GAVE_UP)


def error_of(status: str) -> str:
    """Return the status where it is an exception's name: the harness, not the agent, failed."""
    return f"{NAME} ended with {status}" if status.endswith(("Error", "Exception")) else ""


def turns(document: Document, prefix: str) -> Iterator[IncomingTurn]:
    return Turns().of(messages(document, prefix))


def messages(document: Document, prefix: str) -> Iterator[ChatMessage]:
    waiting = False  # whether the reply before has a command without its result
    for number, raw in enumerate(document.items(prefix)):
        if not isinstance(raw, dict) or not isinstance(raw.get("role"), str):
            raise TrajectoryFormatError(
                document.name, f"messages[{number}]", "an object with a role expected"
            )
        if raw["role"] == "assistant":
            message = reply(raw)
            waiting = bool(message.calls)
        elif raw["role"] == "tool" or waiting:
            message = result(raw)
        else:
            message = ChatMessage(raw["role"], text_of(raw.get("content")), at=at_of(raw))
        yield message


def extra_of(raw: dict[str, Any]) -> dict[str, Any]:
    extra = raw.get("extra")
    return extra if isinstance(extra, dict) else {}


def at_of(raw: dict[str, Any]) -> Any:
    return moment(extra_of(raw).get("timestamp") or raw.get("timestamp"))


def reply(raw: dict[str, Any]) -> ChatMessage:
    extra, text = extra_of(raw), text_of(raw.get("content"))
    response = extra.get("response")
    return ChatMessage(
        "assistant",
        text,
        reasoning=text_of(raw.get("reasoning_content")),
        calls=tuple(calls_of(raw, extra, text)),
        usage=usage_of(response.get("usage")) if isinstance(response, dict) else None,
        cost_usd=amount(extra.get("cost")),
        at=at_of(raw),
    )


def calls_of(raw: dict[str, Any], extra: dict[str, Any], text: str) -> Iterator[Call]:
    if isinstance(raw.get("tool_calls"), list) and raw["tool_calls"]:
        yield from (call_of(call) for call in raw["tool_calls"])
        return
    actions = extra.get("actions")
    if isinstance(actions, list):
        commands = [str(action.get("command") or "") for action in actions if isinstance(action, dict)]
    else:
        commands = FENCED.findall(text)[:1]
    for command in filter(None, commands):
        yield Call("", SHELL, arguments_of(command), command)


def arguments_of(command: str) -> str:
    return json.dumps({"command": command}, ensure_ascii=False)


def result(raw: dict[str, Any]) -> ChatMessage:
    extra, text = extra_of(raw), text_of(raw.get("content"))
    code = extra.get("returncode")
    if code is None and (found := RETURN_CODE.search(text[:200])):
        code = int(found.group(1))
    return ChatMessage(
        "tool",
        text,
        answers=str(raw.get("tool_call_id") or ""),
        exit_code=code if type(code) is int and abs(code) < 2**31 else None,
        at=at_of(raw),
    )
