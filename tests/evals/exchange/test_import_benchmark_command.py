from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from evals.management.commands.import_benchmark import Command
from evals.models import Benchmark, Task
from tests.evals.exchange.folders import OTHER_TRUTH, row, write_rows, write_task
from tests.evals.exchange.hub_server import COMMIT, LocalHub

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path) -> Path:
    place = tmp_path / "samples"
    for number in (1, 2):
        write_task(place, number)
    return place


def run(*arguments: object) -> tuple[str, int, str]:
    """Return what was printed, the exit code and the sentence on stderr."""
    stream = StringIO()
    try:
        call_command("import_benchmark", *map(str, arguments), stdout=stream)
    except CommandError as problem:
        return stream.getvalue(), problem.returncode, str(problem)
    return stream.getvalue(), 0, ""


def test_an_import_and_an_import_without_news_end_with_0(folder):
    printed, code, _ = run(folder)
    assert code == 0
    assert "made       scenario-1     4 files" in printed
    assert "Benchmark samples: 2 made, 0 updated, 0 unchanged, 0 refused." in printed
    assert run(folder)[1] == 0


def test_a_refused_task_is_in_the_report_and_ends_with_1(folder):
    (folder / "Scenario-2/ground_truth.yaml").write_text("groups: []")
    printed, code, sentence = run(folder)
    assert (code, sentence) == (1, "1 of 2 tasks refused")
    assert "Scenario-2/ground_truth.yaml: groups: a list of groups expected" in printed
    assert Task.objects.count() == 1


def test_the_report_is_printed_as_json(folder):
    run(folder)
    (folder / "Scenario-1/ground_truth.yaml").write_text(OTHER_TRUTH)
    (folder / "Scenario-2/ground_truth.yaml").unlink()
    write_task(folder, 3)
    printed, code, _ = run(folder, "--json")
    report = json.loads(printed)
    assert code == 1
    assert report["benchmark"] == "samples"
    assert [task["task"] for task in report["made"]] == ["scenario-3"]
    assert report["unchanged"] == []
    assert report["updated"][0]["ground_truth_sha256_before"] != report["updated"][0]["ground_truth_sha256"]
    assert report["refused"][0]["file"].endswith("Scenario-2/ground_truth.yaml")
    assert report["refused"][0]["reason"].startswith("not there")


def test_a_changed_ground_truth_says_how_to_grade_anew(folder):
    assert "regrade" not in run(folder)[0]
    (folder / "Scenario-1/ground_truth.yaml").write_text(OTHER_TRUTH)
    assert "manage.py regrade --benchmark samples" in run(folder)[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give either a folder or --from-hub OWNER/NAME"),
        (["folder", "--from-hub", "a/b"], "Give either a folder or --from-hub OWNER/NAME"),
        (["folder", "--revision", "main"], "--revision goes with --from-hub OWNER/NAME"),
        (["/nowhere"], "/nowhere: an existing folder expected"),
        (["folder", "--slug", "No Slug"], "the benchmark's slug is 'No Slug': Use lower-case letters"),
        (["folder", "--tasks", "scenario-9"], "there is no task scenario-9"),
    ],
)
def test_bad_input_is_one_sentence_exit_code_2_and_nothing_stored(folder, arguments, sentence):
    arguments = [str(folder) if argument == "folder" else argument for argument in arguments]
    printed, code, said = run(*arguments)
    assert code == 2
    assert sentence in said
    assert printed == ""
    assert not Benchmark.objects.exists()


def test_a_split_that_does_not_exist_ends_with_2(folder, capsys):
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "import_benchmark", str(folder), "--split", "secret"])
    assert ended.value.code == 2
    assert "invalid choice: 'secret'" in capsys.readouterr().err


def test_an_empty_folder_ends_with_2(tmp_path):
    _, code, sentence = run(tmp_path)
    assert code == 2
    assert "no benchmark; expected folders" in sentence


def test_a_benchmark_comes_from_the_hub(httpserver, tmp_path, settings, monkeypatch):
    settings.ITBENCH_DATA_DIR = tmp_path / "data"
    for number in (1, 2):
        write_task(tmp_path / "published/sre", number, ground_truth=None)
    write_rows(tmp_path / "published/sre", row(1), row(2))
    hub = LocalHub(httpserver, "ArtificialAnalysis/ITBench-AA", tmp_path / "published")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)

    printed, code, _ = run("--from-hub", hub.repository, "--revision", COMMIT, "--tasks", "scenario-2")

    assert code == 0, printed
    task = Task.objects.select_related("benchmark").get()
    assert (task.slug, task.benchmark.slug, task.benchmark.version) == ("scenario-2", "itbench-aa", COMMIT)
    assert task.benchmark.licence == "CC-BY-4.0"
    assert task.snapshot_path == f"hub/ArtificialAnalysis--ITBench-AA/{COMMIT}/sre/Scenario-2"
    assert run("--from-hub", hub.repository, "--revision", "v9")[1] == 2
