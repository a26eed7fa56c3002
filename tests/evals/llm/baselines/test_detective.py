"""Each rule of the detective, shown on a shop of three with one thing wrong.

In every shop the alerts name frontend and cart; frontend calls cart, cart calls store.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .playing import BEFORE, ONSET, SHOP, Snapshot, at, iso, play, traffic, troubled_shop, workload

POD = "store-6d5f7c9f8b-x2x4z"


def accused(shop: Snapshot, folder: Path) -> list[str]:
    return play("detective", shop.write(folder)).accused


def redeploy(shop: Snapshot, name: str, minute: float = BEFORE, **parts: Any) -> None:
    """Dump a workload with other parts from a minute on, after its usual self."""
    rows = shop.tables["k8s_objects_raw.tsv"]
    mark = f'"kind": "Deployment", "metadata": {{"name": "{name}"'
    shop.tables["k8s_objects_raw.tsv"] = [
        row for row in rows if mark not in row["Body"] or row["Timestamp"] < at(minute)
    ]
    for dump in range(int(minute), 45, 5):
        shop.thing("Deployment", name, dump, **{**workload(labels={"app": name}), **parts})


def waiting_pod(shop: Snapshot, reason: str, message: str = "") -> None:
    state = {"state": {"waiting": {"reason": reason, "message": message}}}
    for minute in range(ONSET, 45, 5):
        shop.thing("Pod", POD, minute, status={"containerStatuses": [state]})


def flags(**variants: str) -> dict[str, str]:
    told = {
        name: {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": variant}
        for name, variant in variants.items()
    }
    return {"demo.flagd.json": json.dumps({"flags": told})}


def experiment(shop: Snapshot, name: str, phase: str, app: str = "store", **more: Any) -> None:
    conditions = [{"type": "AllInjected", "status": str(phase == "injected")}]
    conditions += [{"type": "AllRecovered", "status": str(phase == "recovered")}]
    selector = {"namespaces": [SHOP], "labelSelectors": {"app": app}}
    for minute in range(BEFORE, 45, 5):
        shop.thing(
            "NetworkChaos", name, minute, "chaos-mesh", apiVersion="chaos-mesh.org/v1alpha1",
            metadata={"creationTimestamp": iso(BEFORE), **more},
            spec={"action": "partition", "mode": "all", "selector": selector},
            status={"conditions": conditions},
        )  # fmt: skip


def test_an_image_that_was_changed_and_can_not_be_pulled(tmp_path: Path):
    shop = troubled_shop()
    redeploy(shop, "store", **workload(image="shop/app:typo"))
    waiting_pod(shop, "ImagePullBackOff")
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_a_changed_argument_that_leaves_no_mark_but_its_change(tmp_path: Path):
    shop = troubled_shop()
    parts = workload()
    parts["spec"]["template"]["spec"]["containers"][0]["args"] = ["--workers=1"]
    redeploy(shop, "store", **parts)
    played = play("detective", shop.write(tmp_path))
    assert played.accused == ["shop/Deployment/store"]
    assert played.submission is not None
    assert "--workers=1" in played.submission["contributing_factors"][0]["evidence"]


def test_an_image_that_can_not_be_pulled_though_no_change_was_recorded(tmp_path: Path):
    shop = troubled_shop()
    shop.event("Failed", f"Pod/{POD}", 'Failed to pull image "shop/app:typo": ErrImagePull', BEFORE)
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_an_address_changed_to_a_port_where_nobody_listens(tmp_path: Path):
    shop = troubled_shop()
    redeploy(shop, "cart", **workload(env={"STORE_ADDR": "store:9999"}))
    assert accused(shop, tmp_path) == ["shop/Deployment/cart"]


def test_an_address_of_a_service_that_does_not_exist_though_no_change_was_recorded(tmp_path: Path):
    shop = troubled_shop()
    redeploy(shop, "cart", 0, **workload(env={"STORE_ADDR": "stroe:8080"}))
    assert accused(shop, tmp_path) == ["shop/Deployment/cart"]


def test_a_changed_command_after_which_the_container_crashes(tmp_path: Path):
    shop = troubled_shop()
    parts = workload()
    parts["spec"]["template"]["spec"]["containers"][0]["command"] = ["/bin/flase"]
    redeploy(shop, "store", **parts)
    waiting_pod(shop, "CrashLoopBackOff")
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_a_node_selector_that_no_node_fits(tmp_path: Path):
    shop = troubled_shop()
    redeploy(shop, "store", **workload(nodeSelector={"disk": "gold"}))
    message = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
    shop.event("FailedScheduling", f"Pod/{POD}", message, BEFORE)
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_a_workload_scaled_to_zero(tmp_path: Path):
    shop = troubled_shop()
    redeploy(shop, "store", **workload(replicas=0))
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_memory_limits_that_were_cut_so_that_the_container_is_killed(tmp_path: Path):
    shop = troubled_shop()
    parts = workload()
    parts["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"memory": "8Mi"}}
    redeploy(shop, "store", **parts)
    shop.event("OOMKilling", f"Pod/{POD}", "Memory cgroup out of memory: OOMKilled process 7", ONSET)
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


QUOTA_SAYS = (
    'pods "store-6d5f7c9f8b-" is forbidden: exceeded quota: shop-limits, requested: memory=225Mi,'
    " used: memory=1901Mi, limited: memory=2Gi"
)


def test_a_quota_that_refuses_pods_is_accused_itself_when_it_was_recorded(tmp_path: Path):
    shop = troubled_shop()
    shop.event("FailedCreate", "ReplicaSet/store-6d5f7c9f8b", QUOTA_SAYS, BEFORE)
    shop.always(
        "ResourceQuota", "shop-limits", status={"hard": {"memory": "2Gi"}, "used": {"memory": "1901Mi"}}
    )
    assert accused(shop, tmp_path) == ["shop/ResourceQuota/shop-limits"]


def test_a_quota_known_from_events_alone_is_told_by_its_namespace(tmp_path: Path):
    shop = troubled_shop()
    shop.event("FailedCreate", "ReplicaSet/store-6d5f7c9f8b", QUOTA_SAYS, BEFORE)
    assert accused(shop, tmp_path) == ["shop/Namespace/shop"]


def test_a_network_policy_that_lets_nobody_in(tmp_path: Path):
    shop = troubled_shop()
    blocking = {"podSelector": {"matchLabels": {"app": "store"}}, "policyTypes": ["Ingress"]}
    for minute in range(BEFORE, 45, 5):
        shop.thing(
            "NetworkPolicy", "deny", minute, spec=blocking, metadata={"creationTimestamp": iso(BEFORE)}
        )
    assert accused(shop, tmp_path) == ["shop/NetworkPolicy/deny"]


def test_a_network_policy_that_always_stood_and_lets_in_who_calls_is_not_accused(tmp_path: Path):
    shop = troubled_shop()
    open_to_all = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 8080}]}]}
    shop.always("NetworkPolicy", "allow", spec=open_to_all)
    redeploy(shop, "store", **workload(replicas=0))
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_a_chaos_experiment_that_was_running(tmp_path: Path):
    shop = troubled_shop()
    experiment(shop, "store-partition", "injected")
    assert accused(shop, tmp_path) == ["chaos-mesh/NetworkChaos/store-partition"]


def test_a_scheduled_experiment_is_told_by_its_schedule(tmp_path: Path):
    shop = troubled_shop()
    experiment(
        shop,
        "store-partition-x2x4z",
        "injected",
        ownerReferences=[{"kind": "Schedule", "name": "store-partition"}],
    )
    assert accused(shop, tmp_path) == ["chaos-mesh/Schedule/store-partition"]


def test_a_schedule_is_known_by_the_label_of_what_it_made(tmp_path: Path):
    shop = troubled_shop()
    experiment(shop, "store-partition-x2x4z", "injected", labels={"managed-by": "store-partition"})
    assert accused(shop, tmp_path) == ["chaos-mesh/Schedule/store-partition"]


def test_an_experiment_that_was_over_is_not_accused(tmp_path: Path):
    shop = troubled_shop()
    for minute in (0, 5):
        shop.thing(
            "StressChaos", "old", minute, "chaos-mesh", apiVersion="chaos-mesh.org/v1alpha1",
            spec={"selector": {"labelSelectors": {"app": "cart"}}},
            status={"conditions": [{"type": "AllRecovered", "status": "True"}]},
        )  # fmt: skip
    redeploy(shop, "store", **workload(replicas=0))
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_an_experiment_on_something_that_nobody_calls_is_not_accused(tmp_path: Path):
    shop = troubled_shop()
    experiment(shop, "batch-partition", "injected", app="batch")
    redeploy(shop, "store", **workload(replicas=0))
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_a_feature_flag_that_was_turned_on(tmp_path: Path):
    shop = troubled_shop()
    for minute in range(0, 45, 5):
        on = "on" if minute >= BEFORE else "off"
        shop.thing("ConfigMap", "flagd-config", minute, data=flags(storeFailure=on, emailLeak="off"))
    assert accused(shop, tmp_path) == ["shop/ConfigMap/flagd-config"]


def test_flags_that_are_off_are_not_accused(tmp_path: Path):
    shop = troubled_shop()
    shop.always("ConfigMap", "flagd-config", data=flags(storeFailure="off"))
    redeploy(shop, "store", **workload(replicas=0))
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_an_autoscaler_whose_maximum_was_cut(tmp_path: Path):
    shop = troubled_shop()
    condition = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}
    condition["message"] = "the desired replica count is more than the maximum replica count"
    for minute in range(0, 45, 5):
        cut = minute >= BEFORE
        spec = {"minReplicas": 1, "maxReplicas": 1 if cut else 5, "scaleTargetRef": {"name": "store"}}
        status = {"currentReplicas": 1, "desiredReplicas": 1, "conditions": [condition] if cut else []}
        shop.thing("HorizontalPodAutoscaler", "store-hpa", minute, spec=spec, status=status)
    assert accused(shop, tmp_path) == ["shop/HorizontalPodAutoscaler/store-hpa"]


def test_a_service_whose_selector_was_changed(tmp_path: Path):
    shop = troubled_shop()
    for minute in range(BEFORE, 45, 5):
        shop.thing(
            "Service", "store", minute, spec={"ports": [{"port": 8080}], "selector": {"app": "nobody"}}
        )
    rows = shop.tables["k8s_objects_raw.tsv"]
    shop.tables["k8s_objects_raw.tsv"] = sorted(rows, key=lambda row: row["Timestamp"])
    assert accused(shop, tmp_path) == ["shop/Service/store"]


def test_who_says_that_its_pool_is_exhausted(tmp_path: Path):
    shop = troubled_shop()
    for number in range(20):
        shop.log("cart", f"request {number}: connection pool exhausted, waited 3000 ms", ONSET + number / 10)
    assert accused(shop, tmp_path) == ["shop/Deployment/cart"]


def test_where_the_errors_start_when_nothing_else_explains_them(tmp_path: Path):
    shop = troubled_shop()
    for minute in range(ONSET, 45):
        traffic(shop, minute, failing="store")
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_a_harmless_rollout_is_not_accused_when_something_else_fails(tmp_path: Path):
    shop = troubled_shop()
    shop.always("Deployment", "batch", **workload())
    parts = workload()
    parts["spec"]["template"]["metadata"]["annotations"] = {"restartedAt": iso(BEFORE)}
    redeploy(shop, "batch", **parts)
    redeploy(shop, "store", **workload(image="shop/app:typo"))
    waiting_pod(shop, "ErrImagePull")
    assert accused(shop, tmp_path) == ["shop/Deployment/store"]


def test_a_change_after_the_trouble_began_is_not_its_cause(tmp_path: Path):
    shop = troubled_shop()
    redeploy(shop, "cart", ONSET + 15, **workload(image="shop/app:2"))
    experiment(shop, "store-partition", "injected")
    assert accused(shop, tmp_path) == ["chaos-mesh/NetworkChaos/store-partition"]


def test_two_roots_that_do_not_explain_each_other_are_both_named(tmp_path: Path):
    shop = troubled_shop()
    shop.always("Deployment", "email", **workload())
    shop.alert("RequestErrorRate", "email", ONSET + 2)
    redeploy(shop, "email", **workload(image="shop/email:typo"))
    shop.event("Failed", "Pod/email-7f9c6d5b4-k2m4n", "ErrImagePull", BEFORE)
    redeploy(shop, "store", **workload(replicas=0))
    assert sorted(accused(shop, tmp_path)) == ["shop/Deployment/email", "shop/Deployment/store"]


def test_nothing_recorded_gives_an_empty_answer(tmp_path: Path):
    assert accused(Snapshot(), tmp_path) == []


def test_files_that_can_not_be_read_do_not_stop_it(tmp_path: Path):
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "alerts_at_1.json").write_text("{not json")
    (tmp_path / "k8s_objects_raw.tsv").write_bytes(b'Timestamp\tBody\n\xff\xfe\t{"kind": 7}\n\0\t\n')
    (tmp_path / "k8s_events_raw.tsv").write_text("")
    (tmp_path / "otel_traces_raw.tsv").write_text("no such columns\n1\n")
    assert play("detective", tmp_path).accused == []


def test_a_near_turn_cap_makes_it_hand_in_what_it_has(tmp_path: Path):
    shop = troubled_shop()
    shop.event("Failed", f"Pod/{POD}", 'Failed to pull image "shop/app:typo": ErrImagePull', BEFORE)
    played = play("detective", shop.write(tmp_path), turn_cap=10)
    assert played.accused == ["shop/Deployment/store"]
    assert played.turns < 10


def test_it_works_in_some_twenty_turns_and_says_what_it_found(tmp_path: Path):
    shop = troubled_shop()
    redeploy(shop, "store", **workload(image="shop/app:typo"))
    waiting_pod(shop, "ImagePullBackOff")
    played = play("detective", shop.write(tmp_path))
    assert 8 <= played.turns <= 20
    said = [message["content"] for message in played.messages if message["role"] == "assistant"]
    assert any("RequestErrorRate on cart" in text for text in said)
    assert any("ImagePullBackOff" in text for text in said)
