"""The files look exactly as those of the real benchmark do."""

from __future__ import annotations

import ast
import csv
import json
import re
from datetime import timedelta
from itertools import pairwise

from tests.evals.incidents.reading import LOGS, alerts_in, moment, rows

LOG_HEADER = (
    "Timestamp TimestampTime TraceId SpanId TraceFlags SeverityText SeverityNumber ServiceName Body "
    "ResourceSchemaUrl ResourceAttributes ScopeSchemaUrl ScopeName ScopeVersion ScopeAttributes LogAttributes"
)
TRACE_HEADER = (
    "Timestamp TraceId SpanId ParentSpanId TraceState SpanName SpanKind ServiceName ResourceAttributes "
    "ScopeName ScopeVersion SpanAttributes Duration StatusCode StatusMessage Events.Timestamp Events.Name "
    "Events.Attributes Links.TraceId Links.SpanId Links.TraceState Links.Attributes"
)
SERVICE_HEADER = "metric_name timestamp value service_name namespace bucket_le tags metric_type status_code"
POD_HEADER = "metric_name timestamp value pod_name namespace tags"
VISIBLE = {"alerts", "metrics", *LOGS, "otel_traces_raw.tsv"}
HIDDEN = {"ground_truth.yaml", "status.json", "assertion.json"}


def test_a_folder_holds_a_row_and_a_marker_beside_its_scenarios(incidents, snapshots):
    table = [json.loads(line) for line in (incidents / "sre/data.jsonl").read_text().splitlines()]
    assert [row["scenario_id"] for row in table] == [snapshot.folder.name for snapshot in snapshots]
    keys = {"id_aa", "scenario_id", "category", "source_split", "scenario_root", "ground_truth_yaml"}
    assert {frozenset(row) for row in table} == {frozenset(keys)}
    for row, snapshot in zip(table, snapshots, strict=True):
        assert row["ground_truth_yaml"] == (snapshot.folder / "ground_truth.yaml").read_text()
    marker = {"synthetic": True, "seed": 5, "scale": "small", "generator": "itbench-incidents", "version": 1}
    assert json.loads((incidents / "synthetic.json").read_text()) == marker
    assert json.loads((incidents / "sre/synthetic.json").read_text()) == marker


def test_a_scenario_holds_the_known_files_and_no_other(snapshots):
    for snapshot in snapshots:
        assert {path.name for path in snapshot.folder.iterdir()} == VISIBLE | HIDDEN


def test_headers_are_those_of_the_real_files(snapshots):
    for snapshot in snapshots:
        headers = {name: _header(snapshot.folder / name) for name in LOGS}
        assert set(headers.values()) <= {LOG_HEADER, f"{LOG_HEADER} EventName"}
        assert _header(snapshot.folder / "otel_traces_raw.tsv") == TRACE_HEADER
        for path in (snapshot.folder / "metrics").iterdir():
            expected = SERVICE_HEADER if path.name.startswith("service_") else POD_HEADER
            assert _header(path) == expected


def _header(path):
    return path.open().readline().rstrip("\n").replace("\t", " ")


def test_every_row_has_as_many_fields_as_the_header(snapshots):
    for snapshot in snapshots:
        for path in snapshot.folder.rglob("*.tsv"):
            with path.open(encoding="utf-8", newline="") as file:
                widths = {len(row) for row in csv.reader(file, delimiter="\t", strict=True)}
            assert len(widths) == 1, path


def test_attributes_and_tags_are_python_literals(snapshots):
    for snapshot in snapshots[:4]:
        for name in (*LOGS, "otel_traces_raw.tsv"):
            for row in rows(snapshot.folder / name):
                for column, value in row.items():
                    if "Attributes" in column:
                        assert isinstance(ast.literal_eval(value), list if "." in column else dict)
        for path in (snapshot.folder / "metrics").iterdir():
            assert all(isinstance(ast.literal_eval(row["tags"]), dict) for row in rows(path))


def test_bodies_of_events_and_objects_are_json(snapshots):
    for snapshot in snapshots:
        assert all(body["kind"] and body["metadata"]["uid"] for _, body in snapshot.objects)
        assert all(event.reason and event.name for event in snapshot.events)


def test_there_is_one_alert_file_a_minute(snapshots):
    name = re.compile(r"alerts_at_(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6})\.json")
    for snapshot in snapshots:
        stamps = [name.fullmatch(path.name)[1] for path in snapshot.alert_files()]
        moments = [moment(f"{stamp[:11]}{stamp[11:].replace('-', ':')}") for stamp in stamps]
        assert len(moments) == 30
        assert {late - early for early, late in pairwise(moments)} == {timedelta(minutes=1)}


def test_alerts_have_the_known_keys_and_states(snapshots):
    for snapshot in snapshots:
        for alert in snapshot.alerts:
            assert set(alert) == {"labels", "annotations", "state", "activeAt", "value"}
            assert {"alertname", "namespace", "severity"} <= set(alert["labels"])
            assert alert["state"] in {"pending", "firing"}
            assert alert["annotations"]["description"]
            float(alert["value"])


def test_an_alert_keeps_its_active_at_from_file_to_file(snapshots):
    for snapshot in snapshots:
        before: dict[str, str] = {}
        for path in snapshot.alert_files():
            now = {json.dumps(alert["labels"]): alert["activeAt"] for alert in alerts_in(path)}
            assert all(before.get(key, active_at) == active_at for key, active_at in now.items())
            before = now


def test_a_small_incident_takes_less_than_two_megabytes(snapshots):
    for snapshot in snapshots:
        assert sum(path.stat().st_size for path in snapshot.folder.rglob("*") if path.is_file()) < 2_000_000


LEAKS = ("ground_truth", "ground truth", "root cause", "root_cause", "red herring", "decoy", "synthetic",
         "fault", "itbench", "simulat")  # fmt: skip


def test_nothing_the_agent_sees_speaks_of_faults_or_truth(snapshots):
    for snapshot in snapshots:
        for entry in VISIBLE:
            path = snapshot.folder / entry
            for file in [path] if path.is_file() else path.iterdir():
                text = file.name + file.read_text(encoding="utf-8").lower().replace("default", "")
                assert not [leak for leak in LEAKS if leak in text], file
