"""A stored run as an ATIF 1.8 trajectory, written step by step.

https://harborframework.com/docs/trajectory-format: unknown keys are forbidden there but in `extra`,
and what is unknown is left out, for 0 would be a claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evals.agent.tools import TOOLS
from evals.exchange.atif_calls import EXTRA
from evals.exchange.atif_steps import ATIF, Step, known, known_sum, laid_over, ours, steps_of
from evals.exchange.json_text import json_text, utf8
from evals.exchange.run_facts import run_facts, source_of
from evals.exchange.stored_turns import opening_of, told_turns
from evals.models import Evaluation, Run

VERSION = "ATIF-v1.8"
HARNESS = "itbench-leaderboard"
UNKNOWN_VERSION = "unknown"  # ATIF wants a version of every agent


def atif_pieces(run: Run) -> Iterator[bytes]:
    """Yield the trajectory piece by piece, a line a step, reading the turns in small batches."""
    unmapped = source.unmapped if (source := source_of(run)) else {}
    rest = unmapped.get(ATIF, {})
    head = laid_over(head_of(run), {key: value for key, value in rest.items() if key in HEAD})
    for name, value in head.items():
        yield utf8(f"{'{' if name == 'schema_version' else ''}{json_text(name)}:{json_text(value)},\n")
    yield b'"steps":[\n'
    total = 0
    for total, step in enumerate(run_steps(run, rest.get("after", [])), start=1):
        yield utf8(f"{',' if total > 1 else ''}{json_text({'step_id': total, **step})}\n")
    yield b"]"
    for name, value in tail_of(run, total, unmapped).items():
        yield utf8(f",\n{json_text(name)}:{json_text(value)}")
    yield b"}\n"


HEAD = ("session_id", "trajectory_id", "agent")


def head_of(run: Run) -> dict[str, Any]:
    return {
        "schema_version": VERSION,
        "session_id": f"{HARNESS}-run-{run.pk}",
        "agent": agent_of(run.evaluation),
    }


def agent_of(evaluation: Evaluation) -> dict[str, Any]:
    here = not evaluation.imported
    version = evaluation.manifest.get("version") if here else evaluation.harness_version
    return known(
        {
            "name": HARNESS if here else evaluation.harness,
            "version": version or UNKNOWN_VERSION,
            "model_name": evaluation.language_model.slug,
            "tool_definitions": TOOLS if here else None,
        }
    )


def run_steps(run: Run, after: list[Step]) -> Iterator[Step]:
    """Yield every step: those of the turns, then what came after the last reply."""
    empty = True
    for turn in told_turns(run):
        yield from steps_of(turn)
        empty = False
    if empty:
        yield from ({"source": each.source, "message": each.text} for each in opening_of(run.evaluation))
    yield from after
    if empty and not after and not opening_of(run.evaluation):
        # A trajectory has at least one step.
        yield {"source": "system", "message": ""}


def tail_of(run: Run, steps: int, unmapped: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in unmapped.get(ATIF, {}).items() if key not in (*HEAD, "after")}
    facts = run_facts(run)
    if facts["source"] is not None:
        facts["source"] |= known({"facts": unmapped.get(EXTRA)})
    others = {name: value for name, value in unmapped.items() if name not in (ATIF, EXTRA)}
    tail = {
        "final_metrics": final_metrics(run, steps),
        "extra": {EXTRA: known({**facts, "unmapped": others or None})},
    }
    return laid_over(tail, rest)


def final_metrics(run: Run, steps: int) -> dict[str, Any]:
    """Return the run's totals; none of its tokens where a reply came without its usage."""
    prompt = known_sum((run.input_tokens, run.cache_read_tokens, run.cache_write_tokens))
    tokens = {
        "total_prompt_tokens": prompt,
        "total_completion_tokens": run.output_tokens,
        "total_cached_tokens": run.cache_read_tokens,
    }
    more = {
        "turns": run.turns_total,
        "cache_write_tokens": run.cache_write_tokens if run.tokens_known else None,
        "reasoning_tokens": run.reasoning_tokens if run.tokens_known else None,
        "duration_s": run.duration_s,
    }
    return known(
        {
            **(tokens if run.tokens_known else {}),
            "total_cost_usd": run.cost_usd,
            "total_steps": steps,
            "extra": ours(more),
        }
    )
