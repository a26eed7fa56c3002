"""A folder is made whole or not at all, and nobody else's is touched."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from evals.incidents.folder import FolderError, make_incidents
from evals.incidents.plan import plan
from evals.incidents.scales import REAL, SMALL
from evals.incidents.snapshot import write_snapshot

BRIEF = replace(SMALL, window_s=120)


def test_an_empty_folder_is_filled_and_our_own_replaced(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    make_incidents(out, 2, 1, BRIEF)
    made = make_incidents(out, 1, 2, BRIEF)
    assert [path.name for path in (out / "sre").glob("Scenario-*")] == ["Scenario-1"]
    assert json.loads((out / "synthetic.json").read_text())["seed"] == 2
    assert made[0].size_bytes == sum(
        p.stat().st_size for p in (out / "sre/Scenario-1").rglob("*") if p.is_file()
    )
    assert list(tmp_path.iterdir()) == [out]


def test_a_strangers_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(FolderError, match="is not empty and was not made by make_incidents"):
        make_incidents(tmp_path, 1, 1, BRIEF)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_failure_in_the_middle_leaves_nothing_behind(tmp_path):
    make_incidents(tmp_path / "out", 1, 1, BRIEF)

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        make_incidents(tmp_path / "out", 3, 9, BRIEF, on_made=disk_full)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert json.loads((tmp_path / "out/synthetic.json").read_text())["seed"] == 1


def peak_bytes(window_s, tmp_path):
    # Every column, label and series of the real scale, sampled seldom so that the test is quick.
    scale = replace(
        REAL, window_s=window_s, requests_a_step=1, calls_s=120, durations_s=120, pod_metrics_s=120
    )
    tracemalloc.start()
    try:
        write_snapshot(plan(3, 1, scale), tmp_path / str(window_s))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_stays_flat_however_long_the_window(tmp_path):
    short, long = peak_bytes(960, tmp_path), peak_bytes(1920, tmp_path)
    assert long < 1.15 * short


def run_command(**options):
    out = StringIO()
    call_command("make_incidents", stdout=out, **options)
    return out.getvalue()


def test_the_command_reports_what_it_made(tmp_path):
    report = json.loads(run_command(out=str(tmp_path / "a"), count="1", seed="7", json=True))
    assert [incident["slug"] for incident in report["incidents"]] == ["Scenario-1"]
    assert report["size_bytes"] == report["incidents"][0]["size_bytes"]
    text = run_command(out=str(tmp_path / "b"), count="1", seed="7")
    assert "Scenario-1" in text
    assert "1 incidents" in text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"count": "0"}, "--count 0: use a whole number from 1 to 1000"),
        ({"count": "many"}, "--count many: use a whole number from 1 to 1000"),
        ({"seed": "-1"}, "--seed -1: use a whole number from 0 to 9223372036854775807"),
        ({"scale": "huge"}, "--scale huge: use small or real"),
        ({"out": ""}, "--out is missing: name the folder to make the incidents in"),
    ],
)
def test_bad_input_is_answered_with_a_sentence_and_exit_code_2(tmp_path, options, sentence):
    with pytest.raises(CommandError) as caught:
        run_command(**{"out": str(tmp_path / "out"), **options})
    assert str(caught.value) == sentence
    assert caught.value.returncode == 2
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_a_strangers_folder_with_exit_code_2(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(CommandError) as caught:
        run_command(out=str(tmp_path))
    assert caught.value.returncode == 2
