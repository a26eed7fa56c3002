from __future__ import annotations

from pathlib import Path

import pytest

from evals.exchange.itbench import ImportReport, ImportWish, TaskState, import_benchmark
from evals.exchange.itbench_tasks import BenchmarkFormatError
from evals.grading.ground_truth import parse_ground_truth
from evals.models import Benchmark, Split, Task
from tests.evals.exchange.folders import GROUND_TRUTH, OTHER_TRUTH, row, write_rows, write_task
from tests.factories import make_benchmark

pytestmark = pytest.mark.django_db

REAL_FILES = sorted(
    (Path(__file__).resolve().parents[4] / "shared/data/itbench/ground_truth").glob("*.yaml"),
)


@pytest.fixture
def folder(tmp_path) -> Path:
    place = tmp_path / "ITBench-AA"
    for number in (1, 2):
        write_task(place / "sre", number)
    write_rows(place / "sre", row(1), row(2))
    return place


def imported(folder: Path, **wish) -> ImportReport:
    return import_benchmark(folder, ImportWish(**wish), on_task=lambda report: None)


def states(report: ImportReport) -> dict[str, str]:
    return {task.task: task.state for task in report.tasks}


def everything() -> list[dict]:
    return [*Benchmark.objects.values(), *Task.objects.order_by("slug").values()]


def test_an_import_stores_all_that_is_known_of_a_task(folder):
    assert states(imported(folder)) == {"scenario-1": "made", "scenario-2": "made"}
    task = Task.objects.get(slug="scenario-1")
    assert (task.benchmark.slug, task.benchmark.name) == ("itbench-aa", "ITBench-AA")
    assert (task.title, task.split, task.fault_category) == ("Scenario 1", Split.PUBLIC, "Change")
    assert task.snapshot_folder == folder / "sre/Scenario-1"
    assert len(task.manifest) == 4
    assert task.snapshot_bytes > 0
    assert task.alert_summary[0]["name"] == "RequestErrorRate"
    assert task.ground_truth_text == GROUND_TRUTH
    assert task.ground_truth["groups"][0]["root_cause"] is True
    assert parse_ground_truth(task.ground_truth_text).root_sets[0].root_ids == ("flags",)


def test_a_second_import_changes_nothing(folder):
    imported(folder)
    before = everything()
    report = imported(folder)
    assert states(report) == {"scenario-1": "unchanged", "scenario-2": "unchanged"}
    assert everything() == before


def test_a_changed_ground_truth_is_updated_and_reported_with_both_hashes(folder):
    first = imported(folder).tasks[0].ground_truth_sha256
    (folder / "sre/Scenario-1/ground_truth.yaml").write_text(OTHER_TRUTH)
    report = imported(folder).tasks[0]
    assert report.state == TaskState.UPDATED
    assert report.ground_truth_sha256_before == first
    assert report.ground_truth_sha256 == Task.objects.get(slug="scenario-1").ground_truth_sha256 != first
    assert f"ground truth {first[:12]} -> {report.ground_truth_sha256[:12]}" in report.reason
    assert "data.jsonl line 1 has another ground truth" in report.notes[0]


def test_changed_files_are_counted(folder):
    imported(folder)
    task = folder / "sre/Scenario-1"
    (task / "k8s_events_raw.tsv").write_text("changed")
    (task / "k8s_objects_raw.tsv").write_text("added")
    (task / "otel_traces_raw.tsv").unlink()
    report = imported(folder).tasks[0]
    assert (report.state, report.reason) == (TaskState.UPDATED, "files: 1 changed, 1 added, 1 gone")
    assert report.ground_truth_sha256_before == ""


def test_a_broken_task_never_stops_the_others(folder):
    (folder / "sre/Scenario-1/ground_truth.yaml").write_text("groups: []")
    report = imported(folder)
    (refusal,) = report.in_state(TaskState.REFUSED)
    assert (refusal.task, refusal.place) == ("scenario-1", "groups")
    assert refusal.file.endswith("Scenario-1/ground_truth.yaml")
    assert "a list of groups expected" in refusal.reason
    assert list(Task.objects.values_list("slug", flat=True)) == ["scenario-2"]


def test_a_task_that_broke_since_keeps_what_is_stored(folder):
    imported(folder)
    before = everything()
    (folder / "sre/Scenario-1/ground_truth.yaml").write_text("groups: []")
    assert states(imported(folder)) == {"scenario-1": "refused", "scenario-2": "unchanged"}
    assert everything() == before


def test_when_every_task_is_refused_there_is_no_benchmark_either(folder):
    for number in (1, 2):
        (folder / f"sre/Scenario-{number}/ground_truth.yaml").write_text("groups: []")
    assert set(states(imported(folder)).values()) == {"refused"}
    assert everything() == []


def test_each_task_is_told_of_as_it_is_done(folder):
    told = []
    import_benchmark(
        folder, ImportWish(), on_task=lambda report: told.append((report.task, Task.objects.count()))
    )
    assert told == [("scenario-1", 1), ("scenario-2", 2)]


def test_only_the_wished_tasks_are_imported(folder):
    write_rows(folder / "sre", row(1), row(2), row(3))
    assert states(imported(folder, tasks=frozenset({"scenario-2"}))) == {"scenario-2": "made"}
    assert states(imported(folder, tasks=frozenset({"scenario-3"}))) == {"scenario-3": "refused"}
    with pytest.raises(BenchmarkFormatError, match="there is no task scenario-9"):
        imported(folder, tasks=frozenset({"scenario-2", "scenario-9"}))


def test_slug_name_and_split_can_be_chosen(folder):
    imported(folder, slug="private", name="Private incidents", split=Split.HELD_OUT)
    task = Task.objects.select_related("benchmark").first()
    assert (task.benchmark.slug, task.benchmark.name, task.held_out) == ("private", "Private incidents", True)


def test_a_held_out_task_stays_held_out_when_it_is_imported_again_without_a_word(folder):
    imported(folder, split=Split.HELD_OUT)
    assert set(states(imported(folder)).values()) == {"unchanged"}
    assert not Task.objects.filter(split=Split.PUBLIC).exists()
    report = imported(folder, split=Split.PUBLIC).tasks[0]
    assert (report.state, report.reason) == (TaskState.UPDATED, "split held_out -> public")


def test_a_stored_benchmark_keeps_what_an_operator_made_of_it(folder):
    make_benchmark(slug="itbench-aa", name="Our name", turn_cap=50, licence="CC-BY-4.0")
    imported(folder, provenance={"name": "ITBench-AA", "licence": "other"})
    benchmark = Benchmark.objects.get()
    assert (benchmark.name, benchmark.turn_cap, benchmark.licence) == ("Our name", 50, "CC-BY-4.0")
    imported(folder, name="Another name")
    assert Benchmark.objects.get().name == "Another name"


def test_marked_incidents_make_a_synthetic_benchmark(folder):
    (folder / "synthetic.json").write_text('{"synthetic": true, "seed": 7, "generator": "make_incidents"}')
    imported(folder)
    benchmark = Benchmark.objects.get()
    assert (benchmark.synthetic, benchmark.version) == (True, "seed 7")


@pytest.mark.parametrize("stored_synthetic", [True, False])
def test_recorded_and_synthetic_incidents_never_mix(folder, stored_synthetic):
    make_benchmark(slug="itbench-aa", synthetic=stored_synthetic)
    if not stored_synthetic:
        (folder / "synthetic.json").write_text('{"synthetic": true}')
    with pytest.raises(BenchmarkFormatError, match="give another --slug"):
        imported(folder)
    assert not Task.objects.exists()


@pytest.mark.parametrize("slug", ["With Spaces", "UPPER", "a" * 81])
def test_a_slug_that_can_be_no_address_is_refused(folder, slug):
    with pytest.raises(BenchmarkFormatError, match="the benchmark's slug is"):
        imported(folder, slug=slug)
    assert everything() == []


def test_a_snapshot_in_the_data_folder_is_stored_relative_to_it(folder, settings):
    settings.ITBENCH_DATA_DIR = folder.parent
    imported(folder)
    task = Task.objects.get(slug="scenario-1")
    assert task.snapshot_path == "ITBench-AA/sre/Scenario-1"
    assert task.snapshot_folder == folder / "sre/Scenario-1"


def test_a_moved_snapshot_is_updated(folder):
    imported(folder)
    moved = folder.rename(folder.with_name("elsewhere"))
    report = imported(moved, slug="itbench-aa").tasks[0]
    assert report.reason.startswith("folder ")
    assert Task.objects.get(slug="scenario-1").snapshot_folder == moved / "sre/Scenario-1"


@pytest.mark.skipif(not REAL_FILES, reason="../shared/data/itbench/ground_truth is not there")
@pytest.mark.parametrize("in_rows", [True, False])
def test_all_real_ground_truths_are_imported(tmp_path, in_rows):
    texts = {path.stem.removeprefix("scenario_"): path.read_text() for path in REAL_FILES}
    for number, text in texts.items():
        write_task(tmp_path, number, None if in_rows else text)
    if in_rows:
        write_rows(tmp_path, *(row(int(number), text) for number, text in texts.items()))
    report = imported(tmp_path, slug="real")
    assert len(report.in_state(TaskState.MADE)) == len(report.tasks) == 27
