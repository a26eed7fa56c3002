from __future__ import annotations

import hashlib
import os
import tracemalloc
from pathlib import Path

import pytest

from evals.exchange.itbench_tasks import (
    BenchmarkFormatError,
    TaskRefused,
    TaskSource,
    read_benchmark,
    read_task,
)
from tests.evals.exchange.folders import GROUND_TRUTH, OTHER_TRUTH, row, write_rows, write_task


def slugs(folder: Path) -> list[str]:
    return [source.slug for source in read_benchmark(folder).sources]


def read_only_task(folder: Path):
    (source,) = read_benchmark(folder).sources
    return read_task(source)


def refusal(folder: Path) -> TaskRefused:
    with pytest.raises(TaskRefused) as caught:
        read_only_task(folder)
    return caught.value


# --- Layouts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["", "sre", "snapshots/sre/v0.2-B96DF826"])
def test_tasks_are_found_in_every_layout_in_the_order_of_their_numbers(tmp_path, place):
    for number in (10, 9, 102):
        write_task(tmp_path / place, number)
    assert slugs(tmp_path) == ["scenario-9", "scenario-10", "scenario-102"]


def test_the_sre_folder_itself_can_be_given(tmp_path):
    write_task(tmp_path / "sre")
    assert slugs(tmp_path / "sre") == ["scenario-1"]


def test_the_same_task_in_two_folders_is_refused_once(tmp_path):
    write_task(tmp_path / "snapshots/sre/v0.2-A")
    write_task(tmp_path / "snapshots/sre/v0.2-B")
    found = read_benchmark(tmp_path)
    assert len(found.sources) == 1
    assert "is the same task" in found.refused[0].reason


def test_a_folder_with_a_name_that_can_be_no_slug_is_refused(tmp_path):
    write_task(tmp_path)
    write_task(tmp_path, "2 copy")
    found = read_benchmark(tmp_path)
    assert [problem.reason for problem in found.refused] == ["a name such as Scenario-31 expected"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "missing", "an existing folder expected"),
        (lambda folder: folder, "no benchmark; expected folders Scenario-N"),
        (lambda folder: write_task(folder) / "status.json", "an existing folder expected"),
        (write_task, "this is one task; give the folder that holds it"),
    ],
)
def test_what_is_no_benchmark_is_said_in_a_sentence(tmp_path, make, sentence):
    with pytest.raises(BenchmarkFormatError, match=sentence):
        read_benchmark(make(tmp_path))


def test_a_synthetic_marker_is_found_beside_and_above_sre(tmp_path):
    write_task(tmp_path / "sre")
    assert read_benchmark(tmp_path).marker is None
    (tmp_path / "synthetic.json").write_text('{"synthetic": true, "seed": 7, "generator": "make_incidents"}')
    assert read_benchmark(tmp_path).marker["seed"] == 7
    assert read_benchmark(tmp_path / "sre").marker["seed"] == 7


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"synthetic": "yes"}'])
def test_a_broken_synthetic_marker_stops_the_import(tmp_path, text):
    write_task(tmp_path)
    (tmp_path / "synthetic.json").write_text(text)
    with pytest.raises(BenchmarkFormatError, match=r"synthetic\.json: a JSON object such as"):
        read_benchmark(tmp_path)


# --- data.jsonl -------------------------------------------------------------------------------------


def test_the_ground_truth_comes_from_the_row_when_the_folder_has_none(tmp_path):
    write_task(tmp_path / "sre", ground_truth=None)
    write_rows(tmp_path / "sre", row(1))
    content = read_only_task(tmp_path)
    assert content.ground_truth_text == GROUND_TRUTH
    assert content.ground_truth_sha256 == hashlib.sha256(GROUND_TRUTH.encode()).hexdigest()


def test_the_ground_truth_comes_from_the_folder_when_there_is_no_row(tmp_path):
    write_task(tmp_path)
    content = read_only_task(tmp_path)
    assert (content.ground_truth.groups[0].id, content.fault_category) == ("flags", "Change")
    assert content.notes == ()


def test_two_ground_truths_that_mean_the_same_are_no_news(tmp_path):
    write_task(tmp_path)
    write_rows(tmp_path, row(1, f"# the same\nspec:\n  {GROUND_TRUTH.replace(chr(10), chr(10) + '  ')}"))
    assert read_only_task(tmp_path).notes == ()


@pytest.mark.parametrize("other", [OTHER_TRUTH, "groups: broken"])
def test_two_ground_truths_that_differ_are_noted_and_the_folders_is_taken(tmp_path, other):
    write_task(tmp_path)
    write_rows(tmp_path, row(1, other))
    content = read_only_task(tmp_path)
    assert content.ground_truth_text == GROUND_TRUTH
    assert content.notes == ("data.jsonl line 1 has another ground truth; the folder's was taken",)


@pytest.mark.parametrize("fields", [{"scenario_id": 1, "scenario_root": None}, {"scenario_id": "Scenario-1"}])
def test_a_row_finds_its_task_by_root_or_by_id(tmp_path, fields):
    write_task(tmp_path, ground_truth=None)
    write_rows(tmp_path, {"ground_truth_yaml": GROUND_TRUTH, **fields})
    assert read_only_task(tmp_path).slug == "scenario-1"


@pytest.mark.parametrize(
    ("line", "task", "place", "reason"),
    [
        ("{broken", "", "line 2", "a JSON object expected"),
        ("[]", "", "line 2", "a JSON object expected"),
        ("[" * 100_000, "", "line 2", "a JSON object expected"),
        ('{"scenario_id": "one"}', "", "line 2", "Scenario-N expected in scenario_root or scenario_id"),
        (
            '{"scenario_id": 3, "ground_truth_yaml": {}}',
            "scenario-3",
            "line 2, ground_truth_yaml",
            "YAML in a string",
        ),
        ('{"scenario_id": 1}', "scenario-1", "line 2", "line 1 is the same task"),
        ('{"scenario_id": 4}', "scenario-4", "line 2", "no folder Scenario-4"),
    ],
)
def test_a_broken_row_is_refused_and_the_others_are_read(tmp_path, line, task, place, reason):
    write_task(tmp_path)
    write_rows(tmp_path, row(1), line)
    found = read_benchmark(tmp_path)
    (problem,) = found.refused
    assert (problem.task, problem.place) == (task, place)
    assert reason in problem.reason
    assert found.sources[0].row.line == 1


# --- The snapshot -----------------------------------------------------------------------------------


def test_the_manifest_lists_what_an_agent_sees_and_nothing_else(tmp_path):
    folder = write_task(tmp_path)
    (folder / "assertion.json").write_text("{}")
    manifest = read_only_task(tmp_path).manifest
    assert [entry["path"] for entry in manifest] == [
        "alerts/alerts_at_2025-12-15T17-34-49.528434.json",
        "k8s_events_raw.tsv",
        "metrics/service_ad_raw.tsv",
        "otel_traces_raw.tsv",
    ]
    for entry in manifest:
        raw = (folder / entry["path"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())


def test_a_large_file_is_hashed_and_never_loaded(tmp_path):
    folder = write_task(tmp_path)
    size = 200_000_000
    with (folder / "otel_logs_raw.tsv").open("wb") as stream:
        stream.truncate(size)  # sparse: reads as zeros
    (source,) = read_benchmark(tmp_path).sources
    tracemalloc.start()
    content = read_task(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (entry,) = [entry for entry in content.manifest if entry["path"] == "otel_logs_raw.tsv"]
    assert entry["bytes"] == size
    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("metrics/outside.tsv", "/etc/hostname"),
        ("metrics/truth.tsv", "../ground_truth.yaml"),
        ("otel_logs_raw.tsv", "ground_truth.yaml"),
        ("topology", "."),
        ("topology.json", "/dev/zero"),
        ("metrics/circle", "circle"),
        ("metrics/nowhere", "missing"),
    ],
)
def test_a_link_out_of_the_snapshot_is_refused(tmp_path, name, target):
    folder = write_task(tmp_path)
    (folder / name).symlink_to(target)
    assert refusal(tmp_path).task == "scenario-1"


def test_a_link_within_one_entry_is_a_file_like_any_other(tmp_path):
    folder = write_task(tmp_path)
    (folder / "metrics/again.tsv").symlink_to("service_ad_raw.tsv")
    by_path = {entry["path"]: entry["sha256"] for entry in read_only_task(tmp_path).manifest}
    assert by_path["metrics/again.tsv"] == by_path["metrics/service_ad_raw.tsv"]


def test_a_ground_truth_that_is_a_link_out_of_the_folder_is_refused(tmp_path):
    folder = write_task(tmp_path, ground_truth=None)
    (tmp_path / "elsewhere.yaml").write_text(GROUND_TRUTH)
    (folder / "ground_truth.yaml").symlink_to("../elsewhere.yaml")
    assert "the task's own folder" in refusal(tmp_path).reason


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(write_task(tmp_path) / "otel_logs_raw.tsv")
    assert "neither a file nor a folder" in refusal(tmp_path).reason


@pytest.mark.parametrize("name", ["metrics/service_ad_raw.tsv", "ground_truth.yaml"])
def test_a_git_lfs_pointer_is_not_taken_for_the_file(tmp_path, name):
    folder = write_task(tmp_path)
    (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    problem = refusal(tmp_path)
    assert problem.file.endswith(name)
    assert "git lfs pull" in problem.reason


def test_a_task_with_nothing_to_show_an_agent_is_refused(tmp_path):
    folder = tmp_path / "Scenario-1"
    folder.mkdir()
    (folder / "ground_truth.yaml").write_text(GROUND_TRUTH)
    assert "not a snapshot" in refusal(tmp_path).reason
    (folder / "alerts").mkdir()
    assert "a file in one of alerts" in refusal(tmp_path).reason


def test_a_file_name_that_is_no_utf8_is_refused(tmp_path):
    folder = write_task(tmp_path)
    (folder / "metrics" / os.fsdecode(b"caf\xe9.tsv")).write_text("")
    assert "a file name in UTF-8" in refusal(tmp_path).reason


@pytest.mark.parametrize(
    ("ground_truth", "place", "reason"),
    [
        (None, "", "not there, and no row of data.jsonl has one"),
        ("groups: []", "groups", "a list of groups expected"),
        (GROUND_TRUTH + "aliases: [[flags, unknown]]", "aliases[0]", "the id of a group expected"),
        (GROUND_TRUTH.replace("root_cause: true", ""), "groups", "root_cause: true expected"),
        ("x" * 4_000_001, "", "at most 4,000,000 bytes"),
    ],
)
def test_a_ground_truth_that_cannot_be_used_is_refused_with_file_place_and_reason(
    tmp_path, ground_truth, place, reason
):
    write_task(tmp_path, ground_truth=ground_truth)
    problem = refusal(tmp_path)
    assert problem.file.endswith("Scenario-1/ground_truth.yaml")
    assert problem.place == place
    assert reason in problem.reason


def test_a_row_without_a_usable_ground_truth_is_refused_with_its_line(tmp_path):
    write_task(tmp_path, ground_truth=None)
    write_rows(tmp_path, row(1, "groups: []"))
    problem = refusal(tmp_path)
    assert problem.file.endswith("data.jsonl")
    assert problem.place == "line 1, ground_truth_yaml, groups"
    write_rows(tmp_path, row(1, ""))
    assert refusal(tmp_path).reason == "not there, and its row has none"


def test_a_task_folder_that_vanished_is_refused(tmp_path):
    source = TaskSource("scenario-1", tmp_path / "Scenario-1", None)
    with pytest.raises(TaskRefused, match="can't be read"):
        read_task(source)
