"""Settings that can't work are refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from evals.llm.settings import ModelSettings


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"model": ""}, "expected LiteLLM's provider/name"),
        ({"model": "openai/x "}, "expected LiteLLM's provider/name"),
        ({"model": "openai/x", "timeout_s": 0}, "expected more than 0"),
        ({"model": "openai/x", "extra_parameters": {"messages": []}}, "extra parameters messages"),
        ({"model": "openai/x", "extra_parameters": {"api_key": "sk-1"}}, "extra parameters api_key"),
    ],
)
def test_what_cannot_work_is_refused(bad: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        ModelSettings(**bad)


def test_a_models_name_may_hold_slashes():
    settings = ModelSettings("openrouter/anthropic/claude-x")
    assert (settings.provider, settings.name) == ("openrouter", "anthropic/claude-x")
