"""What the toolkit reads out of a snapshot's files."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evals.llm.baselines.toolkit import metrics, objects, problems, rows, suspects, symptoms, telemetry

from .playing import ONSET, SHOP, START, Snapshot, at, iso, quiet_shop, traffic, workload


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seconds(minute: float) -> float:
    return START.timestamp() + 60 * minute


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-12-15 17:34:49.528434000", datetime(2025, 12, 15, 17, 34, 49, 528434, UTC)),
        ("2025-12-15T17:34:49Z", datetime(2025, 12, 15, 17, 34, 49, 0, UTC)),
        ("2025-12-15T19:34:49+02:00", datetime(2025, 12, 15, 17, 34, 49, 0, UTC)),
        ("1765820089", datetime(2025, 12, 15, 17, 34, 49, 0, UTC)),
        ("1765820089000000000", datetime(2025, 12, 15, 17, 34, 49, 0, UTC)),
    ],
)
def test_times_are_read_however_they_are_written(text: str, expected: datetime):
    assert rows.seconds_of(text) == pytest.approx(expected.timestamp(), abs=1e-3)


@pytest.mark.parametrize("text", ["", "yesterday", None, {}])
def test_what_is_no_time_is_unknown(text: Any):
    assert rows.seconds_of(text) is None


@pytest.mark.parametrize(
    ("pod", "workload_name"),
    [
        ("checkout-8546fdc74d-d68cn", "checkout"),
        ("kafka-0", "kafka"),
        ("otel-collector-agent", "otel-collector-agent"),
        ("node-exporter-x7k2p", "node-exporter"),
        ("load-generator", "load-generator"),
    ],
)
def test_a_pod_is_known_by_its_workload(pod: str, workload_name: str):
    assert rows.workload_of(pod) == workload_name


def test_a_field_may_hold_newlines_and_quotes(home: Path):
    body = json.dumps({"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": 'line\n"two"\n'}})
    Snapshot(tables={"k8s_objects_raw.tsv": [{"Timestamp": at(0), "Body": body}]}).write(home)
    ((_, thing),) = objects.dumped()
    assert thing["data"] == {"a": 'line\n"two"\n'}


def test_json_within_a_json_string_and_lists_are_opened(home: Path):
    thing = {"kind": "Pod", "metadata": {"name": "x"}}
    listed = {"kind": "PodList", "items": [thing, thing]}
    shop = Snapshot()
    shop.row("k8s_objects_raw.tsv", Timestamp=at(0), Body=json.dumps(json.dumps(thing)))
    shop.row("k8s_objects_raw.tsv", Timestamp=at(0), Body=json.dumps(listed))
    shop.row("k8s_objects_raw.tsv", Timestamp=at(0), Body=json.dumps({"type": "ADDED", "object": thing}))
    shop.write(home)
    assert [found["metadata"]["name"] for _, found in objects.dumped()] == ["x"] * 4


@pytest.mark.parametrize("shape", ["bare", "wrapped", "with a timestamp"])
def test_alerts_are_read_in_every_shape(home: Path, shape: str):
    alert = {"labels": {"alertname": "A", "service_name": "cart"}, "activeAt": iso(1)}
    told = {"bare": [alert], "wrapped": {"status": "success", "data": {"alerts": [alert]}}}
    (home / "alerts_in_alerting_state_1.json").write_text(
        json.dumps(told.get(shape, {"timestamp": iso(2), "alerts": [alert]}))
    )
    (row,) = symptoms.alerts()
    assert (row["alert"], row["target"], row["since"]) == ("A", "cart", iso(1))


def test_an_alert_that_stands_in_many_files_is_told_once_with_their_number(home: Path):
    shop = Snapshot()
    shop.alert("RequestErrorRate", "cart", 20)
    shop.alert("Watchdog", "prometheus", 0)
    shop.write(home)
    told = {row["target"]: (row["files"], row["from_the_start"]) for row in symptoms.alerts()}
    assert told == {"cart": (5, False), "prometheus": (9, True)}


def test_later_versions_of_an_event_are_not_added_to_it(home: Path):
    shop = Snapshot()
    for count in (1, 2, 7):
        shop.event("BackOff", "Pod/kafka-0", "Back-off", 20, count)
    shop.event("BackOff", "Pod/kafka-0", "Back-off", 30, 2)
    shop.write(home)
    (row,) = symptoms.events()
    assert (row["workload"], row["count"]) == ("kafka", 9)


def test_a_change_is_told_by_path_with_both_values_and_the_dumps_around_it(home: Path):
    shop = Snapshot()
    for minute in range(0, 45, 5):
        env = {"LEVEL": "info", "STORE_ADDR": "store:8080" if minute < 20 else "store:1"}
        shop.thing("Deployment", "cart", minute, **workload(env=env))
    shop.write(home)
    (row,) = objects.changes()
    assert row["paths"] == [
        ["spec.template.spec.containers.app.env.STORE_ADDR.value", "store:8080", "store:1"]
    ]
    assert (row["not_before"], row["time"]) == (iso(15), iso(20))


def test_status_and_bookkeeping_are_no_change(home: Path):
    shop = Snapshot()
    for minute in range(0, 20, 5):
        shop.thing(
            "Deployment", "cart", minute, metadata={"resourceVersion": str(minute)}, status={"x": minute}
        )
    shop.write(home)
    assert objects.changes() == []


def test_what_came_and_what_went_is_told(home: Path):
    shop = Snapshot()
    shop.always("Namespace", "shop")
    shop.thing("Service", "old", 5)
    for minute in range(20, 45, 5):
        shop.thing("NetworkPolicy", "new", minute, metadata={"creationTimestamp": iso(18)})
    shop.write(home)
    told = [(row["change"], row["name"], row["time"]) for row in objects.changes()]
    assert ("created", "new", iso(18)) in told
    assert ("gone", "old", iso(5)) in told


def test_an_edit_by_hand_is_told_and_a_controllers_is_not(home: Path):
    shop = Snapshot()
    fields = [
        {"manager": "kubectl-edit", "time": iso(10)},
        {"manager": "kube-controller-manager", "time": iso(30)},
    ]
    shop.always("Deployment", "cart", metadata={"managedFields": fields})
    shop.write(home)
    (row,) = objects.changes()
    assert (row["change"], row["by"], row["time"]) == ("edited", "kubectl-edit", iso(10))


def test_problems_are_told_with_their_first_and_last_dump(home: Path):
    shop = Snapshot()
    state = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    for minute in range(0, 30, 5):
        ill = 10 <= minute <= 20
        shop.thing("Pod", "kafka-0", minute, status={"containerStatuses": [state] if ill else []})
    shop.write(home)
    (row,) = problems.problems()
    assert (row["name"], row["problem"], row["first"], row["last"], row["at_the_end"]) == (
        "kafka", "CrashLoopBackOff", iso(10), iso(20), False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "number"), [("225Mi", 225 * 2**20), ("500m", 0.5), ("2", 2.0), ("1k", 1000.0), ("x", None)]
)
def test_quantities_are_read(quantity: str, number: float | None):
    assert problems.amount(quantity) == number


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ({}, True),
        ({"matchLabels": {"app": "cart"}}, True),
        ({"matchLabels": {"app": "store"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["cart", "ad"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_label_selectors_select_as_kubernetes_does(selector: dict[str, Any], fits: bool):
    assert suspects.selects(selector, {"app": "cart"}) is fits


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("store:8080", None),
        ("http://store.shop.svc.cluster.local:8080/x", None),
        ("store:9", "service store listens on [8080]"),
        ("grpc://stroe:8080", "there is no service stroe in shop"),
        ("localhost:1", None),
        ("10.0.0.1:80", None),
        ("api.example.com:443", None),
        ("debug", None),
        ("12:30", None),
    ],
)
def test_addresses_are_held_against_the_services(value: str, wrong: str | None):
    assert suspects.wrong_address(value, SHOP, {(SHOP, "store"): [8080]}) == wrong


def test_an_address_that_all_share_is_how_the_cluster_is_built(home: Path):
    shop = Snapshot()
    shop.always("Service", "store", spec={"ports": [{"port": 8080}]})
    for name in ("ad", "cart", "email", "quote"):
        own = {"STORE_ADDR": "store:1"} if name == "cart" else {}
        shop.always("Deployment", name, **workload(env={"COLLECTOR": "collector:4317", **own}))
    shop.write(home)
    assert [(row["name"], row["variable"]) for row in suspects.wiring()] == [("cart", "STORE_ADDR")]


def test_errors_are_counted_where_they_start(home: Path):
    shop = quiet_shop()
    for minute in range(ONSET, ONSET + 10):
        traffic(shop, minute, failing="store")
    shop.write(home)
    told = {row["service"]: row for row in telemetry.traces(seconds(ONSET)) if "service" in row}
    assert told["store"]["deepest_errors"] == [0, 10]
    assert (told["frontend"]["errors"], told["frontend"]["deepest_errors"]) == ([0, 10], [0, 0])


def test_a_call_that_nobody_answered_is_told_with_whom_it_was_for(home: Path):
    shop = Snapshot()
    attributes = "{'server.address': 'store', 'rpc.system': 'grpc'}"
    shop.span("cart", "s1", "", 25)
    shop.span("cart", "s2", "s1", 25, SpanKind="Client", StatusCode="Error", SpanAttributes=attributes)
    shop.write(home)
    (row,) = [row for row in telemetry.traces(seconds(ONSET)) if "unanswered" in row]
    assert (row["unanswered"], row["peer"], row["after"]) == ("cart", "store", 1)


def test_log_lines_that_differ_in_numbers_are_one_complaint(home: Path):
    shop = Snapshot()
    for number in range(5):
        shop.log("cart", f"order {number} failed after {number * 7} ms", 10 + 5 * number)
    shop.log("cart", "all well", 10, severity="INFO")
    shop.write(home)
    (row,) = telemetry.logs(seconds(ONSET))
    assert (row["before"], row["after"]) == (2, 3)


def test_counters_are_told_as_rates_and_survive_a_reset(home: Path):
    (home / "metrics").mkdir()
    values = [(0, 0), (1, 60), (2, 120), (3, 10), (4, 310), (5, 610)]
    lines = [f"requests_total\t{at(minute)}\t{value}" for minute, value in values]
    path = home / "metrics" / "service_cart_raw.tsv"
    path.write_text("\n".join(["metric_name\ttimestamp\tvalue", *lines]))
    (row,) = metrics.metrics(seconds(3))
    assert (row["service"], row["before"]) == ("cart", 60)
    assert row["after"] == pytest.approx((10 + 300 + 300) / 3, rel=1e-3)


def test_an_output_never_grows_past_what_an_agents_shell_shows(home: Path):
    shop = Snapshot()
    for number in range(400):
        shop.event("BackOff", f"Pod/pod-{chr(97 + number % 26)}{number}", "x" * 250, count=number)
    shop.write(home)
    package = Path(rows.__file__).parent
    (home / "toolkit").symlink_to(package)
    ended = subprocess.run(
        [sys.executable, "-m", "toolkit", "events", "--limit", "1000"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(ended.stdout) < 20_000
    assert lines[-1]["more"] == 400 - (len(lines) - 1)
