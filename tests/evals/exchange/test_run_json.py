"""A run as one JSON document."""

import json

import pytest

from evals.exchange.run_facts import exported_runs
from evals.exchange.run_json import json_pieces
from evals.models import RunSource, ToolCall, Turn
from tests.factories import make_evaluation, make_run, make_turn

pytestmark = pytest.mark.django_db


def document(run):
    return json.loads(b"".join(json_pieces(exported_runs().get(pk=run.pk))))


def test_it_says_what_it_is_and_all_that_is_known_of_the_run():
    run = make_run(score=0.5)
    run.grades.update(sightings=[{"seen": 3}], missed=[{"description": "flag"}])
    told = document(run)
    assert (told["format"], told["version"]) == ("itbench-run", 1)
    assert (told["run"]["id"], told["run"]["input_tokens"], told["run"]["cost_usd"]) == (run.pk, 1000, 0.5)
    assert (told["grade"]["score"], told["grade"]["sightings"]) == (0.5, [{"seen": 3}])
    assert told["source"] is None
    assert told["turns"] == []


def test_every_column_of_a_turn_and_of_its_calls_is_there():
    run = make_run()
    make_turn(run, 1, unmapped={"a": 1}, provider_fields={"b": 2}, output_tokens=3)
    turn = document(run)["turns"][0]
    names = {"model_s": "model_duration_s", "given": "told"}
    columns = {field.name for field in Turn._meta.concrete_fields} - {"id", "run"}
    assert turn.keys() == {*(names.get(name, name) for name in columns), "tool_calls"}
    names = {"call_id": "id"}
    columns = {field.name for field in ToolCall._meta.concrete_fields} - {"id", "turn"}
    assert turn["tool_calls"][0].keys() == {names.get(name, name) for name in columns}
    assert (turn["unmapped"], turn["output_tokens"], turn["input_tokens"]) == ({"a": 1}, 3, None)
    assert turn["tool_calls"][0]["arguments"] == '{"cmd": "ls"}'


def test_unknown_is_null_and_an_unfinished_call_has_no_output():
    run = make_run(tokens_known=False, cost_usd=None)
    make_turn(run, 1)
    ToolCall.objects.update(output=None, exit_code=None)
    told = document(run)
    assert told["run"]["output_tokens"] is told["run"]["cost_usd"] is None
    assert told["turns"][0]["tool_calls"][0]["output"] is None


def test_an_imported_run_says_where_it_came_from_and_what_its_model_was_told():
    run = make_run(make_evaluation(harness="stirrup", prompt_text=""))
    RunSource.objects.create(run=run, format="atif", name="a.json", sha256="0" * 64, unmapped={"notes": "x"})
    make_turn(run, 1, given=[{"source": "user", "text": "Go."}])
    told = document(run)
    assert told["source"] == {
        "format": "atif", "name": "a.json", "sha256": "0" * 64, "unmapped": {"notes": "x"},
    }  # fmt: skip
    assert told["turns"][0]["told"] == [{"source": "user", "text": "Go."}]
