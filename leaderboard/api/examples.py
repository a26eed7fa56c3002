"""One example for each operation of the schema, of the shape its answer has; a test compares them."""

from __future__ import annotations

from typing import Any

HOST = "https://itbench.example.org"
API = f"{HOST}/api/v1"

BENCHMARK: dict[str, Any] = {
    "url": f"{API}/benchmarks/itbench-aa/",
    "page": f"{HOST}/benchmarks/itbench-aa/",
    "slug": "itbench-aa",
    "name": "ITBench-AA",
    "version": "1.0",
    "description": None,
    "domain": "sre",
    "turn_cap": 100,
    "repeats": 3,
    "grader": "aa-precision",
    "source_url": "https://huggingface.co/datasets/ArtificialAnalysis/ITBench-AA",
    "licence": "CC-BY-4.0",
    "synthetic": False,
    "public_tasks": 40,
    "held_out_tasks": None,
    "board_url": f"{API}/benchmarks/itbench-aa/board/",
    "matrix_url": f"{API}/benchmarks/itbench-aa/matrix/",
}
TASK: dict[str, Any] = {
    "url": f"{API}/tasks/itbench-aa/scenario-31/",
    "page": f"{HOST}/tasks/itbench-aa/scenario-31/",
    "benchmark": "itbench-aa",
    "benchmark_url": BENCHMARK["url"],
    "slug": "scenario-31",
    "title": None,
    "split": "public",
    "fault_category": "configuration",
    "alerts": 1,
}
TASK_DETAIL = {
    **TASK,
    "mean_score": 0.42,
    "alert_summary": [{"name": "RequestErrorRate", "severity": "warning"}],
    "ground_truth": {
        "groups": [
            {
                "id": "flag",
                "kind": "ConfigMap",
                "namespace": "otel-demo",
                "filters": ["flagd-config"],
                "root_cause": True,
            }
        ]
    },
}
MODEL: dict[str, Any] = {
    "url": f"{API}/models/example-large/",
    "page": f"{HOST}/models/example-large/",
    "slug": "example-large",
    "name": "Example Large",
    "setting": "high",
    "creator": "Example Labs",
    "open_weights": True,
    "reasoning": True,
    "baseline": False,
    "released": "2026-03-01",
    "context_window_tokens": 200_000,
    "prices_usd_per_million_tokens": {
        "input": 0.5,
        "output": 2.0,
        "cache_read": 0.05,
        "cache_write": None,
        "as_of": "2026-10-01",
        "source": None,
    },
}
MODEL_DETAIL = {
    **MODEL,
    "published_results": [
        {
            "page": BENCHMARK["page"],
            "benchmark": "itbench-aa",
            "agent": None,
            "score": 0.47,
            "cost_per_task_usd": 0.31,
            "turns_per_task": None,
            "tokens_per_task": None,
            "as_of": "2026-10",
            "source_name": "Artificial Analysis",
            "source_url": "https://artificialanalysis.ai/",
        }
    ],
}
FIGURES: dict[str, Any] = {
    "score": 0.4583,
    "score_low": 0.3417,
    "score_high": 0.575,
    "cost_per_task_usd": 0.2931,
    "turns_per_task": 31.4,
    "tokens_per_task": 812_345.6,
    "duration_per_task_s": 204.7,
    "exact_share": 0.35,
    "over_reported_share": 0.15,
    "missed_share": 0.45,
    "no_answer_share": 0.05,
    "errored_share": 0.0,
    "runs_planned": 120,
    "runs_scored": 120,
    "runs_unscored": 0,
    "runs_errored": 0,
    "runs_active": 0,
    "progress": 1.0,
    "complete": True,
}
EVALUATION: dict[str, Any] = {
    "url": f"{API}/evaluations/7/",
    "page": f"{HOST}/evaluations/7/",
    "id": 7,
    "benchmark": "itbench-aa",
    "benchmark_url": BENCHMARK["url"],
    "model": "example-large",
    "model_url": MODEL["url"],
    "state": "ended",
    "created_at": "2026-11-02T08:00:00Z",
    "started_at": "2026-11-02T08:00:01Z",
    "ended_at": "2026-11-02T11:42:10Z",
    "repeats": 3,
    "turn_cap": 100,
    "cost_limit_usd": 60.0,
    "run_time_limit_s": 14_400,
    "concurrency": 8,
    "sandbox": "docker",
    "prompt_name": "default",
    "prompt_sha256": "0d4f3c6c1b6f4a1f8f3f9a63c5a6c6b7d1c8e2f1a0b9c8d7e6f5a4b3c2d1e0f9",
}
EVALUATION_DETAIL = {**EVALUATION, "prompt_text": "You are called for an incident ...", "figures": FIGURES}
ROW: dict[str, Any] = {
    "url": MODEL["url"],
    "page": MODEL["page"],
    "model": "example-large",
    "name": "Example Large (high)",
    "creator": "Example Labs",
    "open_weights": True,
    "rank_best": 1,
    "rank_worst": 2,
    "tied_with_leader": False,
    "evaluation": 7,
    "evaluation_url": EVALUATION["url"],
    "evaluation_page": EVALUATION["page"],
    "evaluated_at": "2026-11-02T11:42:10Z",
    **FIGURES,
}
SECOND_ROW = {
    **ROW,
    "url": f"{API}/models/example-small/",
    "page": f"{HOST}/models/example-small/",
    "model": "example-small",
    "name": "Example Small",
    "tied_with_leader": True,
    "evaluation": 8,
    "evaluation_url": f"{API}/evaluations/8/",
    "evaluation_page": f"{HOST}/evaluations/8/",
    "score": 0.4,
    "score_low": 0.2833,
    "score_high": 0.5167,
}
RUN: dict[str, Any] = {
    "url": f"{API}/runs/812/",
    "page": f"{HOST}/runs/812/",
    "turns_url": f"{API}/runs/812/turns/",
    "atif_url": f"{HOST}/runs/812/trajectory.json",
    "json_url": f"{HOST}/runs/812/run.json",
    "id": 812,
    "benchmark": "itbench-aa",
    "task": "scenario-31",
    "task_url": TASK["url"],
    "model": "example-large",
    "model_url": MODEL["url"],
    "evaluation": 7,
    "evaluation_url": EVALUATION["url"],
    "repeat": 1,
    "state": "ended",
    "stop_reason": "submitted",
    "score": 0.5,
    "outcome": "over_reported",
    "grader": "aa-precision",
    "grader_version": 1,
    "tags": ["symptom-as-cause"],
    "turns": 28,
    "input_tokens": 102_400,
    "cache_read_tokens": 655_360,
    "cache_write_tokens": 0,
    "output_tokens": 9_120,
    "reasoning_tokens": 4_096,
    "tokens_known": True,
    "cost_usd": 0.1023,
    "duration_s": 187.2,
    "started_at": "2026-11-02T08:00:03Z",
    "ended_at": "2026-11-02T08:03:11Z",
}
RUN_DETAIL = {
    **RUN,
    "sentence": "Over-reported: it found the root cause, but also blamed a bystander.",
    "finish_reason": "The flag adServiceFailure is on.",
    "error": None,
    "note": None,
    "verdicts": [
        {
            "kind": "true_positive",
            "name": "otel-demo/ConfigMap/flagd-config",
            "reason": "is the root cause flag",
            "mistake": None,
        },
        {
            "kind": "false_positive",
            "name": "otel-demo/Service/ad",
            "reason": "downstream: ad-service",
            "mistake": "symptom",
        },
    ],
    "sightings": [
        {
            "name": "ConfigMap flagd-config in otel-demo",
            "seen_turn": 4,
            "named_turn": 9,
            "turns_after": 24,
        }
    ],
    "answer": '{"contributing_factors": [{"name": "otel-demo/ConfigMap/flagd-config"}]}',
    "answer_bytes": 73,
    "answer_handed_in": True,
}
CALL: dict[str, Any] = {
    "number": 1,
    "tool": "run_shell",
    "command": "ls alerts",
    "ended": True,
    "exit_code": 0,
    "timed_out": False,
    "duration_s": 0.012,
    "output_bytes": 41,
    "output": None,
}
TURN: dict[str, Any] = {
    "url": f"{API}/runs/812/turns/1/",
    "page": f"{HOST}/runs/812/?turn=1#turn-1",
    "run_url": RUN["url"],
    "number": 1,
    "kind": "reply",
    "cut": False,
    "message": "I look at the alerts first.",
    "reasoning": "",
    "finish_reason": "tool_calls",
    "input_tokens": 1_850,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "output_tokens": 64,
    "reasoning_tokens": None,
    "cost_usd": 0.0011,
    "model_duration_s": 1.9,
    "started_at": "2026-11-02T08:00:04Z",
    "tool_calls": [CALL],
}
WHOLE_CALL = {**CALL, "output": "alerts_at_2025-12-15T17-34-49.json\n", "arguments": '{"cmd": "ls alerts"}'}

EXAMPLES: dict[str, Any] = {
    "index": {
        "url": f"{API}/",
        "page": f"{HOST}/",
        **{name: f"{API}/{name}/" for name in ("benchmarks", "tasks", "models", "evaluations", "runs")},
        "board": f"{API}/benchmarks/{{slug}}/board/",
        "matrix": f"{API}/benchmarks/{{slug}}/matrix/",
        "turns": f"{API}/runs/{{id}}/turns/",
        "compare": f"{API}/compare/?benchmark={{slug}}&models={{slug}},{{slug}}",
        "schema": f"{HOST}/api/schema/",
        "docs": f"{HOST}/api/docs/",
        "requests_allowed": "600/min",
    },
    "benchmarks": BENCHMARK,
    "benchmark": BENCHMARK,
    "tasks": TASK,
    "task": TASK_DETAIL,
    "models": MODEL,
    "model": MODEL_DETAIL,
    "evaluations": EVALUATION,
    "evaluation": EVALUATION_DETAIL,
    "runs": RUN,
    "run": RUN_DETAIL,
    "turns": TURN,
    "turn": {**TURN, "tool_calls": [WHOLE_CALL]},
    "board": {
        "url": BENCHMARK["board_url"],
        "page": BENCHMARK["page"],
        "benchmark": "itbench-aa",
        "headline": "Example Large (high) leads with 46 %; Example Small is statistically tied.",
        "rows": [ROW, SECOND_ROW],
    },
    "matrix": {
        "url": BENCHMARK["matrix_url"],
        "page": BENCHMARK["page"],
        "benchmark": "itbench-aa",
        "tasks": ["scenario-31", "scenario-102"],
        "models": ["example-large", "example-small"],
        "scores": [[0.8333, 0.5], [0.0, None]],
    },
    "search": {
        "url": f"{API}/search/?q=command:NetworkPolicy",
        "page": f"{HOST}/search/?q=command:NetworkPolicy",
        "count": 1,
        "since_run": None,
        "pages": 1,
        "facets": {"model": {"example-large": 1}, "task": {"scenario-31": 1}},
        "results": [
            {
                "url": f"{API}/runs/4711/",
                "page": f"{HOST}/runs/4711/",
                "id": 4711,
                "benchmark": "itbench-aa",
                "task": "scenario-31",
                "model": "example-large",
                "outcome": "missed",
                "score": 0.0,
                "tags": ["symptom-as-cause"],
                "harness": None,
                "places": [
                    {
                        "turn": 12,
                        "call": 1,
                        "field": "command",
                        "excerpt": "grep NetworkPolicy k8s_objects_raw.tsv",
                    }
                ],
            }
        ],
    },
    "imports": {
        "files": [
            {
                "name": "run.traj.json",
                "state": "imported",
                "sentence": "1 run, 1 graded",
                "format": "mini-swe-agent",
                "runs": [f"{API}/runs/4711/"],
            }
        ]
    },
    "compare": {
        "url": f"{API}/compare/?benchmark=itbench-aa&models=example-large,example-small",
        "page": f"{HOST}/compare/?benchmark=itbench-aa&models=example-large,example-small",
        "benchmark": "itbench-aa",
        "models": [ROW, SECOND_ROW],
        "differences": [
            {
                "first": "example-large",
                "second": "example-small",
                "difference": 0.0583,
                "difference_low": -0.0417,
                "difference_high": 0.1583,
                "tied": True,
                "common_tasks": 40,
            }
        ],
        "tasks": [
            {
                "url": TASK["url"],
                "page": TASK["page"],
                "task": "scenario-31",
                "scores": {"example-large": 0.8333, "example-small": 0.5},
            }
        ],
    },
}
