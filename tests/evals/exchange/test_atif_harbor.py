"""What we write is valid by Harbor's own models, and our schema is as strict as they are."""

import copy
import json
import subprocess
from pathlib import Path

import pytest

from evals.exchange.atif_writer import atif_pieces
from evals.exchange.run_facts import exported_runs
from evals.models import ToolCall
from tests.evals.exchange.atif_schema import problems
from tests.factories import make_run, make_turn
from tests.needs import HARBOR_PYTHON

pytestmark = [pytest.mark.django_db, pytest.mark.harbor]
JUDGE = Path(__file__).with_name("harbor_judge.py")


def judged(documents):
    """Return what Harbor finds wrong with each document."""
    lines = "".join(f"{json.dumps(document)}\n" for document in documents)
    told = subprocess.run([HARBOR_PYTHON, JUDGE], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


def full_document():
    run = make_run()
    make_turn(run, 1, kind="summary", provider_fields={"a": [1]}, finish_reason="stop", reasoning="Hm.")
    make_turn(run, 2, cost_usd=0.1, input_tokens=1, cache_read_tokens=2, cache_write_tokens=3,
              output_tokens=4, reasoning_tokens=5)  # fmt: skip
    make_turn(run, 3, message="\x1b[31m\u202e<script>")
    ToolCall.objects.filter(turn__number=2).update(arguments="{not json", timed_out=True, exit_code=None)
    ToolCall.objects.filter(turn__number=3).update(output=None)
    return json.loads(b"".join(atif_pieces(exported_runs().get(pk=run.pk))))


def test_a_run_of_ours_is_valid():
    document = full_document()
    assert judged([document]) == [[]]
    assert problems(document) == []


AGENT_STEP = 3  # of the full document, behind the two steps of the prompt and the request for a summary


def changed(document, place, value):
    *path, last = place
    document = copy.deepcopy(document)
    inner = document
    for key in path:
        inner = inner[key]
    inner[last] = value
    return document


WRONG = [
    (["schema_version"], "ATIF-v2.0"),
    (["steps"], []),
    (["agent"], {"name": "a"}),
    (["ours"], 1),
    (["final_metrics", "ours"], 1),
    (["steps", 0, "step_id"], 2),
    (["steps", 0, "source"], "tool"),
    (["steps", 0, "reasoning_content"], "a system that thinks"),
    (["steps", 0, "metrics"], {}),
    (["steps", 0, "message"], None),
    (["steps", 0, "message"], [{"type": "text"}]),
    (["steps", 0, "message"], [{"type": "image", "source": {"media_type": "image/x", "path": "a"}}]),
    (["steps", 0, "timestamp"], "yesterday"),
    (["steps", AGENT_STEP, "ours"], 1),
    (["steps", AGENT_STEP, "llm_call_count"], 0),
    (["steps", AGENT_STEP, "llm_call_count"], -1),
    (["steps", AGENT_STEP, "tool_calls", 0, "arguments"], "ls"),
    (["steps", AGENT_STEP, "tool_calls", 0, "ours"], 1),
    (["steps", AGENT_STEP, "observation", "results", 0, "source_call_id"], "nobody's"),
    (["steps", AGENT_STEP, "observation", "results", 0, "ours"], 1),
    (["steps", AGENT_STEP, "observation", "results", 0, "subagent_trajectory_ref"], [{"session_id": "s"}]),
    (["subagent_trajectories"], [{"schema_version": "ATIF-v1.8", "agent": {"name": "a", "version": "1"},
                                  "steps": [{"step_id": 1, "source": "user", "message": ""}]}]),
]  # fmt: skip
RIGHT = [
    (["schema_version"], "ATIF-v1.0"),
    (["steps", 0, "message"], [{"type": "text", "text": "a"},
                               {"type": "image", "source": {"media_type": "image/png", "path": "a.png"}},
                               {"type": "audio", "source": {"media_type": "audio/wav", "path": "a.wav"}}]),
    (["steps", 0, "observation"], {"results": [{"content": "said"}, {"content": None}]}),
    (["steps", AGENT_STEP, "is_copied_context"], True),
    (["steps", AGENT_STEP, "reasoning_effort"], 0.5),
    (["steps", AGENT_STEP, "observation", "results", 0, "subagent_trajectory_ref"],
     [{"trajectory_path": "sub.json", "extra": {}}]),
    (["subagent_trajectories"], [{"schema_version": "ATIF-v1.8", "agent": {"name": "a", "version": "1"},
                                  "steps": [{"step_id": 1, "source": "user", "message": ""}],
                                  "trajectory_id": "sub"}]),
]  # fmt: skip


@pytest.mark.parametrize(("cases", "valid"), [(WRONG, False), (RIGHT, True)])
def test_our_schema_and_harbor_are_of_one_mind(cases, valid):
    document = full_document()
    documents = [changed(document, place, value) for place, value in cases]
    by_harbor = [found == [] for found in judged(documents)]
    by_us = [problems(document) == [] for document in documents]
    assert list(zip(by_harbor, by_us, strict=True)) == [(valid, valid)] * len(cases)
