"""Importing and using LiteLLM leaves no trace outside: no network, no output, no .env file read."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import litellm
import pytest

from evals.llm import ModelError
from evals.llm.baselines import BASELINES
from evals.llm.litellm_client import LiteLLMModel
from evals.llm.settings import ModelSettings

from .conftest import SHELL

ROOT = Path(__file__).resolve().parents[3]
WATCHED = """
    import sys
    reached = []

    def watch(event, details):
        if event == "socket.connect" and isinstance(details[1], tuple):
            reached.append(details[1][0])
        if event == "socket.getaddrinfo":
            reached.append(details[0])

    sys.addaudithook(watch)
    from evals.llm.litellm_client import LiteLLMModel, warm_up
    from evals.llm.settings import ModelSettings
    warm_up()
    for route in ("openai", "hosted_vllm"):
        model = LiteLLMModel(ModelSettings(f"{route}/m", api_base=sys.argv[1]))
        model.reply([{"role": "user", "content": "x"}], [])
    import os
    assert os.environ.get("FROM_DOT_ENV") is None
    sys.exit(0 if set(reached) == {"127.0.0.1"} else f"reached {sorted(map(str, set(reached)))}")
"""


def test_nothing_but_the_provider_is_reached_and_nothing_is_printed(keeping_alive: Any, tmp_path: Path):
    (tmp_path / ".env").write_text("FROM_DOT_ENV=1\n")
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WATCHED), keeping_alive.url],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert len(keeping_alive.callers) == 2


def test_litellm_keeps_no_books_of_its_own(keeping_alive: Any, monkeypatch: pytest.MonkeyPatch):
    recorded: list[object] = []
    monkeypatch.setattr(litellm, "success_callback", [lambda *call: recorded.append(call)])
    model = LiteLLMModel(ModelSettings("openai/gpt-4o", api_base=keeping_alive.url))
    answer = model.ask_once([{"role": "user", "content": "x"}], [])
    litellm.utils.executor.submit(lambda: None).result()
    assert answer._hidden_params["response_cost"] is None
    assert recorded == []


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_baselines_travel_the_road_of_every_model_and_cost_nothing(name: str):
    model = LiteLLMModel(ModelSettings(f"baseline/{name}"))
    reply = model.reply(
        [{"role": "system", "content": "s" * 400}, {"role": "user", "content": "Begin."}], [SHELL]
    )
    assert [call.name for call in reply.tool_calls] == ["run_shell"]
    assert reply.cost_usd == 0.0
    assert reply.usage is not None
    assert reply.usage.input_tokens == pytest.approx(100, abs=5)


def test_a_baseline_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ModelError, match="no baseline 'psychic'; there are detective, exhaustive, loudest"):
        LiteLLMModel(ModelSettings("baseline/psychic")).reply([{"role": "user", "content": "x"}], [])
