"""Spans, counters and logs hold together."""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

from tests.evals.incidents.reading import moment, rows


def test_every_span_has_its_parent_in_its_trace_and_fits_into_it(snapshots):
    for snapshot in snapshots:
        spans = {(span["TraceId"], span["SpanId"]): span for span in snapshot.spans}
        assert len(spans) == len(snapshot.spans)
        for span in snapshot.spans:
            if not span["ParentSpanId"]:
                continue
            parent = spans[span["TraceId"], span["ParentSpanId"]]
            assert int(span["Duration"]) <= int(parent["Duration"])
            assert span["Timestamp"] >= parent["Timestamp"]
            assert end_ns(span) <= end_ns(parent)


def end_ns(span):
    whole, fraction = span["Timestamp"].split(".")
    seconds = int(moment(whole).timestamp())
    return seconds * 1_000_000_000 + int(fraction) + int(span["Duration"])


def test_a_span_failed_exactly_when_it_has_an_exception(snapshots):
    for snapshot in snapshots:
        for span in snapshot.spans:
            failed = span["StatusCode"] == "Error"
            assert failed == bool(ast.literal_eval(span["Events.Name"])) == bool(span["StatusMessage"])


def test_calls_follow_the_shops_call_graph(snapshots):
    calls = {
        ("load-generator", "frontend-proxy"), ("frontend-proxy", "frontend"),
        ("frontend-proxy", "image-provider"), ("recommendation", "product-catalog"), ("shipping", "quote"),
        *(("frontend", name) for name in ("ad", "cart", "checkout", "currency", "product-catalog",
                                          "product-reviews", "recommendation", "shipping")),
        *(("checkout", name) for name in ("cart", "currency", "email", "payment", "product-catalog",
                                          "shipping")),
    }  # fmt: skip
    seen = set()
    for snapshot in snapshots:
        services = {(span["TraceId"], span["SpanId"]): span["ServiceName"] for span in snapshot.spans}
        for span in snapshot.spans:
            caller = services.get((span["TraceId"], span["ParentSpanId"]), span["ServiceName"])
            if caller != span["ServiceName"]:
                seen.add((caller, span["ServiceName"]))
    assert seen == calls


def test_counters_only_fall_when_a_container_was_started_anew(snapshots):
    for snapshot in snapshots:
        for path in (snapshot.folder / "metrics").iterdir():
            last: dict[tuple[str, ...], float] = defaultdict(float)
            for row in rows(path):
                if not row["metric_name"].endswith(("_total", "_bucket")):
                    continue
                key = (row["metric_name"], row["tags"], row.get("status_code", ""))
                value = float(row["value"])
                assert value >= last[key] or restarted(snapshot, row), (path.name, row)
                last[key] = value


def restarted(snapshot, row):
    statuses = [
        body["status"]["containerStatuses"][0]["restartCount"]
        for body in snapshot.of_kind("Pod")
        if body["metadata"]["name"] == row["pod_name"] and "containerStatuses" in body["status"]
    ]
    return max(statuses) > 0


def test_buckets_of_a_histogram_rise_to_the_last(snapshots):
    for snapshot in snapshots:
        for path in (snapshot.folder / "metrics").glob("service_*"):
            buckets: dict[str, list[tuple[float, float]]] = defaultdict(list)
            for row in rows(path):
                if row["metric_name"].endswith("_bucket"):
                    buckets[row["timestamp"]].append((float(row["bucket_le"]), float(row["value"])))
            for samples in buckets.values():
                counts = [count for _, count in sorted(samples)]
                assert counts == sorted(counts)
                assert sorted(samples)[-1][0] == float("inf")


def test_samples_come_in_even_steps(snapshots):
    for snapshot in snapshots:
        tags = {"span_kind": "SPAN_KIND_SERVER", "status_code": "STATUS_CODE_UNSET"}
        times = [
            at for at, _ in snapshot.metric("service_frontend", "traces_span_metrics_calls_total", **tags)
        ]
        assert {late - early for early, late in pairwise(times)} == {timedelta(minutes=1)}


def test_every_failed_span_left_a_line_with_its_ids(snapshots):
    for snapshot in snapshots:
        logged = {(row["TraceId"], row["SpanId"]) for row in snapshot.logs}
        for span in snapshot.spans:
            if span["StatusCode"] == "Error" and not span["StatusMessage"].startswith("CANCELLED"):
                assert (span["TraceId"], span["SpanId"]) in logged


def test_pods_named_in_telemetry_are_pods_of_the_cluster(snapshots):
    for snapshot in snapshots:
        pods = {body["metadata"]["name"] for body in snapshot.of_kind("Pod")}
        events = {event.name for event in snapshot.events if event.kind == "Pod"}
        for row in snapshot.logs:
            name = ast.literal_eval(row["ResourceAttributes"]).get("k8s.pod.name")
            assert name is None or name in pods | events


def test_objects_are_dumped_again_about_every_five_minutes(snapshots):
    for snapshot in snapshots:
        dumps = sorted({at.replace(microsecond=0) for at, body in snapshot.objects if body["kind"] == "Pod"})
        gaps = [late - early for early, late in pairwise(dumps) if (late - early).seconds > 5]
        assert gaps == [timedelta(minutes=5)] * 5


def test_an_objects_uid_stays_and_its_version_moves_with_its_content(snapshots):
    for snapshot in snapshots:
        known: dict[tuple[str, str], tuple[str, str, str]] = {}
        for _, body in snapshot.objects:
            if body["kind"] not in {"ConfigMap", "Deployment", "NetworkPolicy", "Service"}:
                continue
            key = (body["kind"], body["metadata"]["name"])
            content = json.dumps([body.get("spec"), body.get("data")])
            uid, version, before = known.get(key, (body["metadata"]["uid"], "", content))
            assert body["metadata"]["uid"] == uid
            assert content == before or body["metadata"]["resourceVersion"] != version
            known[key] = (uid, body["metadata"]["resourceVersion"], content)


def test_all_spans_a_service_adds_to_one_request_come_from_one_pod(snapshots):
    for snapshot in snapshots:
        spans = {(span["TraceId"], span["SpanId"]): span for span in snapshot.spans}
        for span in snapshot.spans:
            parent = spans.get((span["TraceId"], span["ParentSpanId"]))
            if parent is not None and parent["ServiceName"] == span["ServiceName"]:
                assert span["ResourceAttributes"] == parent["ResourceAttributes"]
