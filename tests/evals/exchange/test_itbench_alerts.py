from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.exchange.itbench_alerts import MAX_ALERTS, summarise_alerts
from tests.evals.exchange.folders import ALERT

FIRST = "alerts_at_2025-12-15T17-34-49.528434.json"
SECOND = "alerts_at_2025-12-15T17-35-49.528434.json"


def write(folder: Path, name: str, document: Any) -> None:
    (folder / "alerts").mkdir(exist_ok=True)
    (folder / name).write_text(document if isinstance(document, str) else json.dumps(document))


@pytest.mark.parametrize(
    "document",
    [
        [ALERT],
        {"status": "success", "data": {"alerts": [ALERT]}},
        {"timestamp": "2025-12-15T17:34:49Z", "alerts": [ALERT]},
        {"timestamp": "2025-12-15T17:34:49Z", "data": [ALERT]},
    ],
)
def test_an_alert_is_read_from_every_shape_of_file(tmp_path, document):
    write(tmp_path, f"alerts/{FIRST}", document)
    alerts, notes = summarise_alerts(tmp_path)
    assert alerts == [
        {
            "name": "RequestErrorRate",
            "namespace": "otel-demo",
            "service": "ad",
            "severity": "warning",
            "since": "2025-12-15T17:30:00Z",
            "first_seen": "2025-12-15T17:34:49.528434Z",
            "last_seen": "2025-12-15T17:34:49.528434Z",
            "count": 1,
        }
    ]
    assert notes == []


def test_an_alert_that_stands_in_file_after_file_is_one_alert(tmp_path):
    for name in (SECOND, FIRST):
        write(tmp_path, f"alerts/{name}", [ALERT, {**ALERT, "value": "2e+00"}])
    (alert,) = summarise_alerts(tmp_path)[0]
    assert (alert["first_seen"], alert["last_seen"], alert["count"]) == (
        "2025-12-15T17:34:49.528434Z",
        "2025-12-15T17:35:49.528434Z",
        2,
    )


def test_other_labels_or_another_start_make_another_alert(tmp_path):
    elsewhere = {**ALERT, "labels": {**ALERT["labels"], "pod": "ad-1"}}
    write(tmp_path, f"alerts/{FIRST}", [ALERT, elsewhere, {**ALERT, "activeAt": "2025-12-15T17:33:00Z"}])
    alerts, _ = summarise_alerts(tmp_path)
    assert [alert["since"][11:16] for alert in alerts] == ["17:30", "17:30", "17:33"]


def test_without_a_time_in_the_file_name_its_timestamp_counts_and_then_the_alerts_start(tmp_path):
    write(tmp_path, "alerts/a.json", {"timestamp": "2025-12-15T18:00:00Z", "alerts": [ALERT]})
    assert summarise_alerts(tmp_path)[0][0]["first_seen"] == "2025-12-15T18:00:00Z"
    write(tmp_path, "alerts/a.json", [ALERT])
    assert summarise_alerts(tmp_path)[0][0]["first_seen"] == ALERT["activeAt"]


def test_alert_files_loose_in_the_folder_are_summarised_with_a_note(tmp_path):
    write(tmp_path, "alerts_in_alerting_state_2025-12-15T17-34-49.528434.json", [ALERT])
    alerts, notes = summarise_alerts(tmp_path)
    assert len(alerts) == 1
    assert notes == ["1 alert files lie loose in the folder: summarised, but an agent sees no alerts"]


def test_a_loose_link_out_of_the_folder_is_not_followed(tmp_path):
    folder = tmp_path / "Scenario-1"
    folder.mkdir()
    (tmp_path / "elsewhere.json").write_text(json.dumps([ALERT]))
    (folder / "alerts_at_x.json").symlink_to("../elsewhere.json")
    assert summarise_alerts(folder) == ([], [])


def test_a_torn_file_is_noted_and_the_others_are_read(tmp_path):
    write(tmp_path, f"alerts/{FIRST}", '[{"labels": ')
    write(tmp_path, f"alerts/{SECOND}", [ALERT])
    alerts, notes = summarise_alerts(tmp_path)
    assert len(alerts) == 1
    assert notes == [f"alerts/{FIRST}: not JSON, left out of the alert summary"]


@pytest.mark.parametrize("document", [{}, {"data": None}, [1, {"labels": "x"}], "null", "[" * 100_000])
def test_what_holds_no_alerts_gives_none(tmp_path, document):
    write(tmp_path, f"alerts/{FIRST}", document)
    assert summarise_alerts(tmp_path)[0] == []


def test_the_summary_of_a_storm_of_alerts_is_bounded(tmp_path):
    storm = [{**ALERT, "labels": {"alertname": f"A{n:05}"}} for n in range(MAX_ALERTS + 5)]
    write(tmp_path, f"alerts/{FIRST}", storm)
    alerts, notes = summarise_alerts(tmp_path)
    assert len(alerts) == MAX_ALERTS
    assert notes == [f"{MAX_ALERTS + 5} distinct alerts; the summary shows the first {MAX_ALERTS}"]


def test_text_that_no_database_takes_is_replaced(tmp_path):
    write(tmp_path, f"alerts/{FIRST}", '[{"labels": {"alertname": "a\\u0000\\ud800"}}]')
    assert summarise_alerts(tmp_path)[0][0]["name"] == "a\N{REPLACEMENT CHARACTER}?"
