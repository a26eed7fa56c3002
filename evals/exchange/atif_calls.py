"""Tool calls in ATIF, which takes an object for arguments where a model may have written anything at all."""

from __future__ import annotations

import json
from typing import Any

EXTRA = "itbench"  # under this key of any `extra` stands what ATIF has no field for

MOST_NESTED = 32  # of arguments; deeper ones go out as text, which readers with a limit take

# Tools that take a shell command, and the argument it is in. Harnesses agree on neither.
SHELL_WORDS = ("bash", "shell", "exec", "terminal", "command", "run_cmd", "console")
COMMAND_ARGUMENTS = ("cmd", "command", "keystrokes", "script")
# Tools with a "command" that is none: they edit files.
NO_SHELL_WORDS = ("edit", "file", "browser", "view")


def arguments_object(raw: str) -> tuple[dict[str, Any], bool]:
    """Return a call's arguments as an object, and whether `arguments_text` makes the same text of it."""
    try:
        value = json.loads(raw, parse_constant=refuse)
        if not isinstance(value, dict) or nested_deeper(value, MOST_NESTED):
            return {}, False
        return value, arguments_text(value) == raw
    except (ValueError, RecursionError):
        return {}, False


def nested_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(nested_deeper(each, levels - 1) for each in inner)


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def arguments_text(arguments: dict[str, Any]) -> str:
    """Return an object as the text a model would have written.

    Raises:
        ValueError: no JSON text that UTF-8 can hold says the same.
    """
    text = json.dumps(arguments, ensure_ascii=False, allow_nan=False)
    text.encode()
    return text


def command_of(tool: str, arguments: dict[str, Any]) -> str:
    """Return the command of a shell call, or nothing for a call of another tool."""
    name = tool.lower()
    if any(word in name for word in NO_SHELL_WORDS) or not any(word in name for word in SHELL_WORDS):
        return ""
    for argument in COMMAND_ARGUMENTS:
        match arguments.get(argument):
            case str(command):
                return command
            case [*words] if words and all(isinstance(word, str) for word in words):
                # ["bash", "-lc", "ls"] runs its last word.
                return str(words[-1]) if len(words) == 3 and words[1] in ("-c", "-lc") else " ".join(words)
    return ""
