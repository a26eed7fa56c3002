"""The two tools of an agent: a shell, and handing in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evals.agent.prompts import ANSWER_FILE
from evals.sandbox import CommandResult, Sandbox
from evals.trajectory import Observation, ToolCall

COMMAND_TIMEOUT_S = 300
STREAM_LIMIT_CHARACTERS = 20_000
# Four bytes a character at most, and as much again: both ends of a cut stream are always whole.
STREAM_LIMIT_BYTES = 8 * STREAM_LIMIT_CHARACTERS
# Twice what a grader takes: an answer that is too large must be seen to be too large.
ANSWER_LIMIT_BYTES = 2 * 1024 * 1024

RUN_SHELL = "run_shell"
FINISH = "finish"
HANDED_IN = "Handed in."

TOOLS: tuple[Mapping[str, Any], ...] = (
    {
        "type": "function",
        "function": {
            "name": RUN_SHELL,
            "description": "Run a bash command in the sandbox and return its exit code, stdout and stderr.",
            "parameters": {
                "type": "object",
                "properties": {"cmd": {"type": "string", "description": "The command to run."}},
                "required": ["cmd"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": FINISH,
            "description": "Hand in the answer and end the investigation.",
            "parameters": {
                "type": "object",
                "properties": {
                    "reason": {"type": "string", "description": "Why the work is done, in a sentence."},
                    "paths": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "The files handed in; each must exist.",
                    },
                },
                "required": ["reason", "paths"],
            },
        },
    },
)


class ArgumentsError(ValueError):
    """The model's arguments for a tool can't be used; the message is meant for the model."""


@dataclass(frozen=True)
class HandIn:
    """An accepted call of the finish tool."""

    reason: str
    submission: bytes | None  # None: the agent finished without an answer file


def use_tool(call: ToolCall, sandbox: Sandbox) -> tuple[Observation, HandIn | None]:
    """Carry out one tool call. Whatever is wrong with the call itself is told to the model.

    Raises:
        SandboxError: the sandbox failed.
    """
    try:
        if call.name == RUN_SHELL:
            return run_shell(call, sandbox), None
        if call.name == FINISH:
            return finish(call, sandbox)
        raise ArgumentsError(f"there is no tool {call.name!r}: use {RUN_SHELL} or {FINISH}")
    except ArgumentsError as problem:
        return Observation(call.id, f"Error: {problem}"), None


def run_shell(call: ToolCall, sandbox: Sandbox) -> Observation:
    command = parsed_arguments(call).get("cmd")
    if not isinstance(command, str) or not command.strip():
        raise ArgumentsError(f'{RUN_SHELL} needs its argument "cmd", a string with a bash command')
    if "\0" in command:
        raise ArgumentsError("the command holds a NUL character, which bash can't take")
    return shell_observation(call.id, storable(command), sandbox)


def shell_observation(call_id: str, command: str, sandbox: Sandbox) -> Observation:
    result = sandbox.run(command, COMMAND_TIMEOUT_S, STREAM_LIMIT_BYTES)
    return Observation(
        call_id=call_id,
        output=shell_result_text(result),
        command=command,
        exit_code=result.exit_code,
        timed_out=result.timed_out,
        bytes_before_cut=result.stdout_bytes + result.stderr_bytes,
        duration_s=result.duration_s,
    )


def finish(call: ToolCall, sandbox: Sandbox) -> tuple[Observation, HandIn | None]:
    arguments = parsed_arguments(call)
    paths = arguments.get("paths", [])
    paths = [paths] if isinstance(paths, str) else paths
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ArgumentsError(f'{FINISH} needs its argument "paths", a list of file paths')
    if missing := [path for path in paths if "\0" in path or not sandbox.exists(path)]:
        raise ArgumentsError(f"not there: {', '.join(missing)}. Write the file first, then finish")
    reason = storable(str(arguments.get("reason", "")))
    handed_in = HandIn(reason, read_submission(sandbox, paths))
    return Observation(call.id, HANDED_IN), handed_in


def read_submission(sandbox: Sandbox, paths: list[str]) -> bytes | None:
    named = [path for path in paths if path.rsplit("/", 1)[-1] == ANSWER_FILE]
    for path in [*named, f"{sandbox.home}/{ANSWER_FILE}"]:
        if (answer := sandbox.read(path, ANSWER_LIMIT_BYTES)) is not None:
            return answer
    return None


def parsed_arguments(call: ToolCall) -> dict[str, Any]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as problem:
        raise ArgumentsError(
            f"the arguments of {call.name} are not valid JSON ({problem}); call it again with a JSON object"
        ) from problem
    if not isinstance(arguments, dict):
        raise ArgumentsError(f"the arguments of {call.name} must be a JSON object")
    return arguments


def shell_result_text(result: CommandResult) -> str:
    ending = (
        f"<timed_out>stopped after {COMMAND_TIMEOUT_S} s</timed_out>"
        if result.timed_out
        else f"<exit_code>{result.exit_code}</exit_code>"
    )
    stdout = stream_text(result.stdout, result.stdout_bytes)
    stderr = stream_text(result.stderr, result.stderr_bytes)
    return (
        f"<shell_result>\n{ending}\n<stdout>\n{stdout}</stdout>\n<stderr>\n{stderr}</stderr>\n</shell_result>"
    )


def stream_text(kept: bytes, bytes_before_cut: int) -> str:
    """Return a stream as text, its middle left out when it is longer than the limit.

    `kept` holds the start and the end of a stream of `bytes_before_cut` bytes.
    """
    text = storable(kept.decode(errors="replace"))
    if len(text) > STREAM_LIMIT_CHARACTERS or bytes_before_cut > len(kept):
        half = STREAM_LIMIT_CHARACTERS // 2
        notice = f"[... the middle is left out: this output has {bytes_before_cut} bytes ...]"
        text = f"{text[:half]}\n{notice}\n{text[-half:]}"
    return text if not text or text.endswith("\n") else text + "\n"


def storable(text: str) -> str:
    """Replace what no database and no JSON reader takes: NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
