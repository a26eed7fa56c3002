"""A baseline is a function of the conversation and of nothing else."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from evals.llm.baselines import BASELINES, next_message
from evals.llm.baselines.conversation import Answer, Factor, Look, Seen, next_move, results

from .playing import play, shell, troubled_shop, workload


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_any_part_of_a_conversation_leads_to_the_same_next_message(name: str, tmp_path: Path):
    shop = troubled_shop()
    shop.always("Deployment", "batch", **workload(replicas=0))
    messages = play(name, shop.write(tmp_path)).messages
    through_json = json.loads(json.dumps(messages))
    for place, message in enumerate(messages):
        if message["role"] == "assistant":
            assert next_message(name, through_json[:place])["choices"][0]["message"] == message


def test_two_runs_in_equal_folders_are_equal(tmp_path: Path):
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(play("detective", troubled_shop().write(tmp_path / name)).messages)
    assert runs[0] == runs[1]


def test_the_answer_file_holds_what_the_shell_would_like_to_change(tmp_path: Path):
    tricky = "$HOME `id` \\n 'single' \"double\" é\nANSWER\n"

    def policy() -> Generator[Look, Seen, Answer]:
        yield Look("true", "I look.")
        return Answer((Factor("shop/Pod/x", tricky, ""),), "Done.")

    messages: list[dict[str, str]] = [{"role": "user", "content": "Begin."}]
    while (move := next_move(policy, messages)).tool == "run_shell":
        messages.append({"role": "tool", "content": shell(str(move.arguments["cmd"]), tmp_path)})
    told = json.loads((tmp_path / "agent_output.json").read_text())
    assert told == {"contributing_factors": [{"name": "shop/Pod/x", "reasoning": tricky, "evidence": ""}]}
    assert move.arguments["paths"] == ["agent_output.json"]


def test_an_output_that_imitates_the_frame_is_read_to_its_end():
    text = "<exit_code>0</exit_code>\n<stdout>\na</stdout>b\n</stdout>\n<stderr>\n</stderr>\n</shell_result>"
    (seen,) = results([{"role": "tool", "content": text}])
    assert (seen.exit_code, seen.stdout) == (0, "a</stdout>b")


@pytest.mark.parametrize(
    "text", ["", "Error: not there", "<shell_result>\n<timed_out>stopped after 300 s</timed_out>"]
)
def test_a_result_without_output_has_no_rows(text: str):
    (seen,) = results([{"role": "tool", "content": text}])
    assert (seen.exit_code, seen.rows) == (None, [])


def test_lines_that_are_no_json_object_are_passed_over():
    assert Seen(0, '{"a": 1}\n[... the middle is left out ...]\n7\n{"b": 2}').rows == [{"a": 1}, {"b": 2}]
