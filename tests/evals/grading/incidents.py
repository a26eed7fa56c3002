"""Small ground truths and answers for tests, written the way the benchmark's files are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from evals.grading.ground_truth import GroundTruth, parse_ground_truth
from evals.grading.precision import GradeResult, grade


def group(
    group_id: str, kind: str, *filters: str, namespace: str | None = "otel-demo", **more: Any
) -> dict[str, Any]:
    return {"id": group_id, "kind": kind, "filter": list(filters), "namespace": namespace, **more}


def root(
    group_id: str, kind: str, *filters: str, namespace: str | None = "otel-demo", **more: Any
) -> dict[str, Any]:
    return group(group_id, kind, *filters, namespace=namespace, root_cause=True, **more)


def truth(*groups: dict[str, Any], aliases: Sequence[Sequence[str]] = (), **more: Any) -> GroundTruth:
    return parse_ground_truth(json.dumps({"groups": groups, "aliases": list(map(list, aliases)), **more}))


def answer(*names: str) -> bytes:
    return json.dumps({"contributing_factors": [{"name": name} for name in names]}).encode()


def graded(ground_truth: GroundTruth, *names: str) -> GradeResult:
    return grade(ground_truth, answer(*names))
