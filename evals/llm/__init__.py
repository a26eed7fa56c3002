"""Language models behind one protocol, whatever provider answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from evals.trajectory import Reply

# A conversation in OpenAI's chat form: role, content, tool_calls, tool_call_id. JSON-ready.
Message = Mapping[str, Any]


class ModelError(Exception):
    """The provider, not the agent, failed: bad key, no quota left, retries used up, deadline passed."""


class ContextOverflow(ModelError):
    """The conversation is longer than the model can read. The agent's loop answers this itself."""


class ChatModel(Protocol):
    """Anything that can answer a conversation."""

    @property
    def context_window(self) -> int | None:
        """How many tokens the model can read, or None when unknown."""

    def reply(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> Reply:
        """Return the model's next reply. An empty `tools` offers none (used for summaries).

        Raises:
            ContextOverflow: the provider says the conversation does not fit.
            ModelError: no reply could be had, after all retries.
        """
