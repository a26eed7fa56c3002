"""A model that replies by script: for tests, benchmarks and trying things without a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evals.llm import Message, ModelError
from evals.trajectory import Reply


class ScriptedModel:
    """Gives the scripted replies in order, and remembers every conversation it was shown.

    An exception in the script is raised at its place. A first conversation that already holds
    replies of the model goes on after them, so that a resumed run gets the rest of the script.
    """

    def __init__(self, script: Sequence[Reply | Exception], context_window: int | None = None) -> None:
        self._script = script
        self.context_window = context_window
        self.seen: list[list[Message]] = []
        self._position: int | None = None

    def reply(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> Reply:
        self.seen.append(list(messages))
        if self._position is None:
            self._position = sum(message["role"] == "assistant" for message in messages)
        if self._position >= len(self._script):
            raise ModelError(f"the script has {len(self._script)} replies and none is left")
        step = self._script[self._position]
        self._position += 1
        if isinstance(step, Exception):
            raise step
        return step
