"""ATIF 1.8 as a JSON schema, written from its specification, and the two rules that no schema can say.

Harbor's own models are the other judge (`test_atif_harbor.py`), where they can be had.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

VERSIONS = [f"ATIF-v1.{minor}" for minor in range(9)]
AGENT_ONLY = ("model_name", "reasoning_effort", "reasoning_content", "tool_calls", "metrics")
IMAGES = ["image/jpeg", "image/png", "image/gif", "image/webp"]

TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
NULL = {"type": "null"}


def ref(name):
    return {"$ref": f"#/$defs/{name}"}


def maybe(schema):
    return {"anyOf": [schema, NULL]}


def array(items, **more):
    return {"type": "array", "items": items, **more}


def record(required="", more=None, **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
        **(more or {}),
    }


FREE = maybe({"type": "object"})
TOKENS = maybe({"type": "integer"})
DOLLARS = {"type": ["number", "null"]}

TRAJECTORY = record(
    "schema_version agent steps",
    schema_version={"enum": VERSIONS},
    session_id=maybe(TEXT),
    trajectory_id=maybe(TEXT),
    agent=ref("agent"),
    steps=array(ref("step"), minItems=1),
    notes=maybe(TEXT),
    final_metrics=maybe(ref("final_metrics")),
    continued_trajectory_ref=maybe(TEXT),
    extra=FREE,
    subagent_trajectories=maybe(array({"allOf": [ref("trajectory"), {"required": ["trajectory_id"]}]})),
)
AGENT = record(
    "name version",
    name=TEXT,
    version=TEXT,
    model_name=maybe(TEXT),
    tool_definitions=maybe(array({"type": "object"})),
    extra=FREE,
)
OF_AGENTS_ONLY = {
    "if": {"properties": {"source": {"enum": ["system", "user"]}}},
    "then": {"properties": dict.fromkeys(AGENT_ONLY, NULL)},
}
WITHOUT_A_MODEL = {
    "if": {
        "properties": {"source": {"const": "agent"}, "llm_call_count": {"const": 0}},
        "required": ["llm_call_count"],
    },
    "then": {"properties": {"metrics": NULL, "reasoning_content": NULL}},
}
STEP = record(
    "step_id source message",
    {"allOf": [OF_AGENTS_ONLY, WITHOUT_A_MODEL]},
    step_id={"type": "integer", "minimum": 1},
    timestamp=maybe({"type": "string", "format": "date-time"}),
    source={"enum": ["system", "user", "agent"]},
    model_name=maybe(TEXT),
    reasoning_effort={"type": ["string", "number", "null"]},
    message=ref("content"),
    reasoning_content=maybe(TEXT),
    tool_calls=maybe(array(ref("tool_call"))),
    observation=maybe(ref("observation")),
    metrics=maybe(ref("metrics")),
    is_copied_context={"type": ["boolean", "null"]},
    llm_call_count=maybe(COUNT),
    extra=FREE,
)
PART = {
    "oneOf": [
        record("type text", type={"const": "text"}, text=TEXT, source=NULL),
        record(
            "type source",
            type={"const": "image"},
            text=NULL,
            source=record("media_type path", media_type={"enum": IMAGES}, path=TEXT),
        ),
        record(
            "type source",
            type={"const": "audio"},
            text=NULL,
            source=record(
                "media_type path",
                media_type={"type": "string", "pattern": "^audio/"},
                path=TEXT,
                duration_sec=maybe({"type": "number", "minimum": 0}),
            ),
        ),
    ]
}
TOOL_CALL = record(
    "tool_call_id function_name arguments",
    tool_call_id=TEXT,
    function_name=TEXT,
    arguments={"type": "object"},
    extra=FREE,
)
RESULT = record(
    source_call_id=maybe(TEXT),
    content=maybe(ref("content")),
    subagent_trajectory_ref=maybe(array(ref("subagent"))),
    extra=FREE,
)
SUBAGENT = record(
    more={
        "anyOf": [
            {"required": [key], "properties": {key: TEXT}} for key in ("trajectory_id", "trajectory_path")
        ]
    },
    trajectory_id=maybe(TEXT),
    session_id=maybe(TEXT),
    trajectory_path=maybe(TEXT),
    extra=FREE,
)
METRICS = record(
    prompt_tokens=TOKENS,
    completion_tokens=TOKENS,
    cached_tokens=TOKENS,
    cost_usd=DOLLARS,
    prompt_token_ids=maybe(array({"type": "integer"})),
    completion_token_ids=maybe(array({"type": "integer"})),
    logprobs=maybe(array({"type": "number"})),
    extra=FREE,
)
FINAL_METRICS = record(
    total_prompt_tokens=TOKENS,
    total_completion_tokens=TOKENS,
    total_cached_tokens=TOKENS,
    total_cost_usd=DOLLARS,
    total_steps=maybe(COUNT),
    extra=FREE,
)
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_time(text):
    return not isinstance(text, str) or bool(datetime.fromisoformat(text))


VALIDATOR = Draft202012Validator(
    {
        **ref("trajectory"),
        "$defs": {
            "trajectory": TRAJECTORY,
            "agent": AGENT,
            "step": STEP,
            "content": {"anyOf": [TEXT, array(ref("part"))]},
            "part": PART,
            "tool_call": TOOL_CALL,
            "observation": record("results", results=array(RESULT)),
            "subagent": SUBAGENT,
            "metrics": METRICS,
            "final_metrics": FINAL_METRICS,
        },
    },
    format_checker=FORMATS,
)


def problems(document: Any) -> list[str]:
    """Return what is wrong with a trajectory, nothing for a valid one."""
    found = [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(document)]
    return found or [*wrong_numbers(document), *wrong_references(document)]


def wrong_numbers(document: dict[str, Any]) -> list[str]:
    numbers = [step["step_id"] for step in document["steps"]]
    return [] if numbers == list(range(1, len(numbers) + 1)) else [f"step ids {numbers}"]


def wrong_references(document: dict[str, Any]) -> list[str]:
    return [
        f"step {step['step_id']}: no call {result['source_call_id']!r}"
        for step in document["steps"]
        for result in (step.get("observation") or {"results": []})["results"]
        if result.get("source_call_id") is not None
        and result["source_call_id"] not in [call["tool_call_id"] for call in step.get("tool_calls") or []]
    ]
