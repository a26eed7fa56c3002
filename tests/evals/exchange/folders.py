"""Benchmark folders for tests, laid out as the published ones are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GROUND_TRUTH = """\
fault:
  - {category: Change, condition: flag on, fault_mechanism: feature_flag, entity: {kind: ConfigMap}}
groups:
  - {id: flags, kind: ConfigMap, namespace: otel-demo, name: flagd-config, root_cause: true}
"""
OTHER_TRUTH = GROUND_TRUTH.replace("flagd-config", "other-config")

ALERT = {
    "labels": {
        "alertname": "RequestErrorRate",
        "namespace": "otel-demo",
        "service_name": "ad",
        "severity": "warning",
    },
    "annotations": {"description": "too many errors"},
    "state": "firing",
    "activeAt": "2025-12-15T17:30:00Z",
    "value": "1e+00",
}


def write_task(place: Path, number: int | str = 1, ground_truth: str | None = GROUND_TRUTH) -> Path:
    """Make Scenario-N with four files that an agent may see and two that it may not."""
    folder = place / f"Scenario-{number}"
    for name in ("alerts", "metrics"):
        (folder / name).mkdir(parents=True)
    (folder / "alerts/alerts_at_2025-12-15T17-34-49.528434.json").write_text(json.dumps([ALERT]))
    (folder / "metrics/service_ad_raw.tsv").write_text("metric_name\ttimestamp\tvalue\n")
    (folder / "k8s_events_raw.tsv").write_text("Timestamp\tBody\n")
    (folder / "otel_traces_raw.tsv").write_text("Timestamp\tTraceId\n")
    (folder / "status.json").write_text("{}")
    if ground_truth is not None:
        (folder / "ground_truth.yaml").write_text(ground_truth)
    return folder


def write_rows(place: Path, *rows: dict[str, Any] | str) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (place / "data.jsonl").write_text("".join(f"{line}\n" for line in lines))


def row(number: int, ground_truth: str = GROUND_TRUTH) -> dict[str, Any]:
    return {
        "id_aa": number + 100,
        "scenario_id": f"Scenario-{number}",
        "category": "sre",
        "source_split": "public",
        "scenario_root": f"sre/Scenario-{number}",
        "ground_truth_yaml": ground_truth,
    }
