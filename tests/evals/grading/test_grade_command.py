from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from evals.management.commands import grade as grade_command
from tests.evals.grading.incidents import answer

TRUTH = """
groups:
  - {id: flags, kind: ConfigMap, namespace: otel-demo, name: flagd-config, root_cause: true}
  - {id: ad, kind: Service, namespace: otel-demo, filter: ['ad\\b']}
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    truth_file, answer_file = tmp_path / "ground_truth.yaml", tmp_path / "agent_output.json"
    truth_file.write_text(TRUTH)
    answer_file.write_bytes(answer("otel-demo/ConfigMap/flagd-config", "otel-demo/Service/ad"))
    return truth_file, answer_file


def output(*arguments: object) -> str:
    stream = StringIO()
    call_command("grade", *map(str, arguments), stdout=stream)
    return stream.getvalue()


def test_a_grade_is_printed_as_json(files):
    printed = json.loads(output("--ground-truth", files[0], "--answer", files[1], "--json"))
    assert printed["score"] == 0.5
    assert (printed["true_positives"], printed["false_positives"], printed["false_negatives"]) == (1, 1, 0)
    assert [verdict["verdict"] for verdict in printed["verdicts"]] == ["true_positive", "false_positive"]
    assert (printed["outcome"], printed["missed"], printed["notes"]) == ("over_reported", [], [])


def test_a_grade_is_printed_as_a_table(files):
    table = output("--ground-truth", files[0], "--answer", files[1])
    assert "score 0.500  over reported" in table
    assert "otel-demo/Service/ad              false positive  downstream: ad" in table


def test_a_name_cannot_send_control_characters_to_the_terminal(files):
    files[1].write_bytes(answer("otel-demo/Service/\x1b[2Jad\n"))
    table = output("--ground-truth", files[0], "--answer", files[1])
    assert "\x1b" not in table
    assert len(table.splitlines()) == 4


def test_what_was_missed_is_in_the_table(files):
    files[1].write_bytes(answer())
    assert "missed: ConfigMap flagd-config in otel-demo" in output(
        "--ground-truth", files[0], "--answer", files[1]
    )


def test_an_answer_that_is_no_json_is_a_result_and_not_an_error(files):
    files[1].write_text("the flags did it")
    assert (
        json.loads(output("--ground-truth", files[0], "--answer", files[1], "--json"))["outcome"]
        == "no_answer"
    )


def test_a_broken_ground_truth_is_one_sentence_and_exit_code_2(files):
    files[0].write_text("groups: []")
    with pytest.raises(
        CommandError, match=r"ground_truth\.yaml: groups: a list of groups expected"
    ) as caught:
        output("--ground-truth", files[0], "--answer", files[1])
    assert caught.value.returncode == 2


def test_a_missing_file_is_one_sentence_and_exit_code_2(files, tmp_path):
    for arguments in ([tmp_path / "none", files[1]], [files[0], tmp_path]):
        with pytest.raises(CommandError, match="a readable file expected") as caught:
            output("--ground-truth", arguments[0], "--answer", arguments[1])
        assert caught.value.returncode == 2


def test_the_command_needs_no_database(files, django_db_blocker):
    with django_db_blocker.block():
        assert output("--ground-truth", files[0], "--answer", files[1])
    assert grade_command.Command.requires_system_checks == []
