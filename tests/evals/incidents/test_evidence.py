"""Whoever looks in the usual places finds the cause of every kind of fault."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from evals.incidents.faults import FAULTS
from tests.evals.incidents.reading import Snapshot


def container(workload):
    return workload["spec"]["template"]["spec"]["containers"][0]


def environment(workload):
    return {entry["name"]: entry["value"] for entry in container(workload)["env"]}


def first_and_last(snapshot, root):
    name = root.get("name") or root["filter"][0].removesuffix("\\b")
    versions = snapshot.versions(root["kind"], name)
    return versions[0], versions[-1]


def pods_of(snapshot, deployment):
    prefix = deployment["metadata"]["name"] + "-"
    width = deployment["metadata"]["name"].count("-") + 2
    return [
        pod
        for pod in snapshot.of_kind("Pod")
        if pod["metadata"]["name"].startswith(prefix) and pod["metadata"]["name"].count("-") == width
    ]


def waiting_reasons(pods):
    statuses = [status for pod in pods for status in pod["status"].get("containerStatuses", [])]
    return {status["state"].get("waiting", {}).get("reason") for status in statuses}


def experiment(snapshot, root, action):
    """Return the experiment of the root in its last dump, checked to be the Schedule's and injected."""
    dumps = snapshot.of_kind(root["kind"])
    last = [body for body in dumps if re.fullmatch(root["filter"][0], body["metadata"]["name"])][-1]
    conditions = {each["type"]: each["status"] for each in last["status"]["conditions"]}
    assert conditions == {
        "Selected": "True",
        "AllInjected": "True",
        "AllRecovered": "False",
        "Paused": "False",
    }
    schedule = snapshot.versions("Schedule", last["metadata"]["labels"]["managed-by"])[-1]
    assert [each["name"] for each in schedule["status"]["active"]] == [last["metadata"]["name"]]
    assert re.fullmatch(f"{schedule['metadata']['name']}-[a-z0-9]{{5}}", last["metadata"]["name"])
    assert action in json.dumps(last["spec"])
    return last


def find_quota_exhausted(snapshot, root):
    refusals = [event for event in snapshot.events if event.reason == "FailedCreate"]
    amount = r"limits.memory=(\d+)Mi"
    pattern = rf"exceeded quota: (\S+), requested: {amount}, used: {amount}, limited: {amount}"
    name, asked, used, hard = re.search(pattern, refusals[0].message).groups()
    assert int(used) + int(asked) > int(hard)
    quota = snapshot.versions("ResourceQuota", name)[-1]
    assert quota["status"]["hard"]["limits.memory"] == f"{hard}Mi"
    assert root["kind"] == "Namespace"


def find_bad_image(snapshot, root):
    before, after = first_and_last(snapshot, root)
    assert container(before)["image"] != container(after)["image"]
    assert {"ImagePullBackOff", "ErrImagePull"} & waiting_reasons(pods_of(snapshot, after))
    assert any(
        container(after)["image"] in event.message for event in snapshot.events if event.reason == "Failed"
    )


def find_wrong_environment(snapshot, root):
    before, after = first_and_last(snapshot, root)
    changed = {key for key, value in environment(after).items() if environment(before).get(key) != value}
    assert len(changed) == 1
    value = environment(after)[changed.pop()]
    match = re.search(r"host=([\w-]+)[; ]port=(\d+)", value, re.I) or re.search(r"([\w-]+):(\d+)$", value)
    services = {
        body["metadata"]["name"]: body["spec"]["ports"][0]["port"] for body in snapshot.of_kind("Service")
    }
    assert services.get(match[1]) != int(match[2])


def find_wrong_command(snapshot, root):
    before, after = first_and_last(snapshot, root)
    assert "command" not in container(before)
    command = container(after)["command"]
    assert command[-1] == "sleep infinity" or "CrashLoopBackOff" in waiting_reasons(pods_of(snapshot, after))


def find_node_selector(snapshot, root):
    _, after = first_and_last(snapshot, root)
    wanted = after["spec"]["template"]["spec"]["nodeSelector"]
    assert not any(wanted.items() <= node["metadata"]["labels"].items() for node in snapshot.of_kind("Node"))
    assert any(event.reason == "FailedScheduling" for event in snapshot.events)
    assert any(
        pod["status"]["conditions"][0].get("reason") == "Unschedulable" for pod in pods_of(snapshot, after)
    )


def find_autoscaler_bounds(snapshot, root):
    before, after = first_and_last(snapshot, root)
    assert after["spec"]["maxReplicas"] < before["spec"]["maxReplicas"]
    limited = next(each for each in after["status"]["conditions"] if each["type"] == "ScalingLimited")
    assert (limited["status"], limited["reason"]) == ("True", "TooManyReplicas")


def find_pool_exhaustion(snapshot, root):
    before, after = first_and_last(snapshot, root)
    old, new = (
        (before["data"], after["data"])
        if root["kind"] == "ConfigMap"
        else (environment(before), environment(after))
    )
    changed = [key for key in new if new[key] != old[key]]
    assert len(changed) == 1
    assert int(new[changed[0]]) < int(old[changed[0]])
    assert any(
        re.search("pool|streams", row["Body"]) for row in snapshot.logs if row["SeverityText"] == "ERROR"
    )


def find_scaled_to_zero(snapshot, root):
    before, after = first_and_last(snapshot, root)
    assert (before["spec"]["replicas"], after["spec"]["replicas"]) == (1, 0)
    name = after["metadata"]["name"]
    scalings = [
        event.message
        for event in snapshot.events
        if (event.reason, event.name) == ("ScalingReplicaSet", name)
    ]
    assert any(message.endswith("from 1 to 0") for message in scalings)


def find_network_delay(snapshot, root):
    spec = experiment(snapshot, root, "delay")["spec"]
    latency_ns = int(spec["delay"]["latency"].removesuffix("ms")) * 1_000_000
    victim = spec["selector"]["labelSelectors"]["app.kubernetes.io/component"]
    slow = [span for span in spans_towards(snapshot, victim) if int(span["Duration"]) >= latency_ns]
    assert slow
    assert all(span["Timestamp"] > str(snapshot.fault_at) for span in slow)


def spans_towards(snapshot, callee):
    """Return the client spans whose server span the callee wrote."""
    parents = {span["ParentSpanId"] for span in snapshot.spans if span["ServiceName"] == callee}
    return [span for span in snapshot.spans if span["SpanId"] in parents and span["SpanKind"] == "Client"]


def find_network_partition(snapshot, root):
    spec = experiment(snapshot, root, "partition")["spec"]
    caller = spec["selector"]["labelSelectors"]["app.kubernetes.io/component"]
    callee = spec["target"]["selector"]["labelSelectors"]["app.kubernetes.io/component"]
    assert caller != callee


def find_network_policy(snapshot, root):
    policy = snapshot.versions("NetworkPolicy", root.get("name") or root["filter"][0])[-1]
    assert policy["spec"]["podSelector"]["matchLabels"]
    assert policy["spec"].get("ingress") != [{}]
    assert any("i/o timeout" in span["StatusMessage"] for span in snapshot.spans)


def find_cpu_stress(snapshot, root):
    spec = experiment(snapshot, root, "cpu")["spec"]
    victim = spec["selector"]["labelSelectors"]["app.kubernetes.io/component"]
    pod = pods_of(snapshot, {"metadata": {"name": victim}})[0]["metadata"]["name"]
    throttled = snapshot.metric(f"pod_{pod}", "container_cpu_cfs_throttled_periods_total")
    before = [value for at, value in throttled if at < snapshot.fault_at]
    after = [value for at, value in throttled if at > snapshot.fault_at + timedelta(minutes=1)]
    assert (after[-1] - after[0]) / len(after) > 20 * (before[-1] - before[0]) / len(before)


def find_memory_stress(snapshot, root):
    spec = experiment(snapshot, root, "memory")["spec"]
    victim = spec["selector"]["labelSelectors"]["app.kubernetes.io/component"]
    statuses = [
        pod["status"]["containerStatuses"][0] for pod in pods_of(snapshot, {"metadata": {"name": victim}})
    ]
    reasons = {status.get("lastState", {}).get("terminated", {}).get("reason") for status in statuses}
    assert "OOMKilled" in reasons


def find_feature_flag(snapshot, root):
    before, after = (
        json.loads(version["data"]["demo.flagd.json"])["flags"] for version in first_and_last(snapshot, root)
    )
    turned = [
        name for name, flag in after.items() if flag["defaultVariant"] != before[name]["defaultVariant"]
    ]
    assert [after[name]["state"] for name in turned] == ["ENABLED"]


FINDERS = {
    name.removeprefix("find_"): finder for name, finder in globals().items() if name.startswith("find_")
}


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_the_cause_is_in_the_files(kind: str, snapshots: list[Snapshot]):
    concerned = [
        (snapshot, root)
        for snapshot in snapshots
        for fault, root in zip(snapshot.kinds, snapshot.roots, strict=True)
        if fault == kind
    ]
    assert concerned
    for snapshot, root in concerned:
        FINDERS[kind](snapshot, root)


def test_alerts_about_the_shop_fire_after_the_fault_and_not_before(snapshots):
    for snapshot in snapshots:
        firing = [alert for alert in snapshot.alerts if alert["state"] == "firing" and of_the_shop(alert)]
        began = [alert["activeAt"].replace("T", " ") for alert in firing]
        earliest = str(snapshot.fault_at - timedelta(seconds=300))
        assert began
        assert min(began) > earliest, snapshot.folder


def of_the_shop(alert):
    return alert["labels"].get("namespace") == "otel-demo"


def test_callers_see_errors_after_the_fault_and_hardly_any_before(snapshots):
    checked = 0
    for snapshot in snapshots:
        if not any("ErrorRate" in alert["id"] for alert in snapshot.truth["alerts"]):
            continue
        errors = snapshot.metric(
            "service_frontend-proxy", "traces_span_metrics_calls_total", status_code="STATUS_CODE_ERROR"
        )
        total: dict[object, float] = {}
        for at, value in errors:
            total[at] = total.get(at, 0.0) + value
        before = [value for at, value in total.items() if at <= snapshot.fault_at] or [0.0]
        after = max(total.values()) - before[-1]
        assert before[-1] - before[0] <= 0.2 * after, snapshot.folder
        checked += 1
    assert checked >= 8


def test_the_root_changes_within_the_window_and_after_a_healthy_stretch(snapshots):
    for snapshot in snapshots:
        begins = snapshot.objects[0][0]
        assert snapshot.fault_at - begins > timedelta(minutes=5)
