"""Turns to rows and back. Each save is one short transaction and costs the same for every turn."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Value
from django.utils import timezone

from evals.models import Run, ToolCall, Turn
from evals.runner.workers import Claim, LostClaim, held
from evals.trajectory import Observation, Reply, ToolCall as Call, TurnKind, TurnRecord, Usage


def save_reply(claim: Claim, turn: TurnRecord) -> None:
    """Keep a reply the moment it came: from here on it is never paid for again.

    Raises:
        LostClaim: the run has been given to another worker; nothing was saved.
    """
    with transaction.atomic():
        add_to_totals(claim, turn)
        row = Turn.objects.create(
            run_id=claim.run_id,
            number=turn.number,
            kind=turn.kind,
            message=turn.reply.text,
            reasoning=turn.reply.reasoning,
            finish_reason=turn.reply.finish_reason,
            provider_fields=turn.reply.provider_fields,
            cost_usd=turn.reply.cost_usd,
            model_s=turn.reply.duration_s,
            started_at=turn.started_at,
            **usage_columns(turn.reply.usage),
        )
        ToolCall.objects.bulk_create(
            ToolCall(turn=row, number=place, call_id=call.id, tool=call.name, arguments=call.arguments)
            for place, call in enumerate(turn.reply.tool_calls, start=1)
        )


def add_to_totals(claim: Claim, turn: TurnRecord) -> None:
    usage = turn.reply.usage or Usage()
    # What is unknown once stays unknown: NULL plus anything is NULL.
    cost = Value(None) if turn.reply.cost_usd is None else F("cost_usd") + turn.reply.cost_usd
    known = F("tokens_known") if turn.reply.usage else Value(False)
    updated = held(claim).update(
        turns_total=F("turns_total") + (turn.kind is TurnKind.REPLY),
        input_tokens=F("input_tokens") + usage.input_tokens,
        cache_read_tokens=F("cache_read_tokens") + usage.cache_read_tokens,
        cache_write_tokens=F("cache_write_tokens") + usage.cache_write_tokens,
        output_tokens=F("output_tokens") + usage.output_tokens,
        reasoning_tokens=F("reasoning_tokens") + usage.reasoning_tokens,
        tokens_known=known,
        cost_usd=cost,
        duration_s=F("duration_s") + turn.reply.duration_s,
        heartbeat=timezone.now(),
    )
    if not updated:
        raise LostClaim(f"run {claim.run_id} is in other hands")


def save_observations(claim: Claim, turn: TurnRecord) -> None:
    """Keep what the tools of a saved turn gave back.

    Raises:
        LostClaim: the run has been given to another worker; nothing was saved.
    """
    if not turn.observations:
        return
    seconds = sum(seen.duration_s for seen in turn.observations)
    with transaction.atomic():
        if not held(claim).update(duration_s=F("duration_s") + seconds):
            raise LostClaim(f"run {claim.run_id} is in other hands")
        calls = ToolCall.objects.filter(turn__run_id=claim.run_id, turn__number=turn.number)
        for place, seen in enumerate(turn.observations, start=1):
            calls.filter(number=place).update(
                command=seen.command,
                output=seen.output,
                output_bytes=seen.bytes_before_cut,
                exit_code=seen.exit_code,
                timed_out=seen.timed_out,
                duration_s=seen.duration_s,
            )


def usage_columns(usage: Usage | None) -> dict[str, int | None]:
    kinds = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return {kind: None if usage is None else getattr(usage, kind) for kind in kinds}


def load_turns(run: Run) -> tuple[TurnRecord, ...]:
    """Return the saved turns of a run in order; the last one may be unfinished."""
    rows = run.turns.order_by("number").prefetch_related("tool_calls")
    return tuple(turn_record(row) for row in rows)


def turn_record(row: Turn) -> TurnRecord:
    calls = sorted(row.tool_calls.all(), key=lambda call: call.number)
    observations = tuple(observation(call) for call in calls if call.output is not None)
    return TurnRecord(
        number=row.number,
        reply=Reply(
            text=row.message,
            tool_calls=tuple(Call(call.call_id, call.tool, call.arguments) for call in calls),
            reasoning=row.reasoning,
            usage=usage(row),
            cost_usd=row.cost_usd,
            duration_s=row.model_s,
            finish_reason=row.finish_reason,
            provider_fields=row.provider_fields,
        ),
        observations=observations,
        kind=TurnKind(row.kind),
        started_at=row.started_at,
    )


def observation(row: ToolCall) -> Observation:
    return Observation(
        call_id=row.call_id,
        output=row.output or "",
        command=row.command,
        exit_code=row.exit_code,
        timed_out=row.timed_out,
        bytes_before_cut=row.output_bytes,
        duration_s=row.duration_s,
    )


def usage(row: Turn) -> Usage | None:
    if row.input_tokens is None:
        return None
    return Usage(
        input_tokens=row.input_tokens,
        cache_read_tokens=row.cache_read_tokens or 0,
        cache_write_tokens=row.cache_write_tokens or 0,
        output_tokens=row.output_tokens or 0,
        reasoning_tokens=row.reasoning_tokens or 0,
    )
