"""Turns to rows and back. Each save is one short transaction and costs the same for every turn."""

from __future__ import annotations

from django.db import connection, transaction

from evals.models import Run, RunState, ToolCall, Turn
from evals.runner.workers import Claim, LostClaim, held
from evals.trajectory import Observation, Reply, ToolCall as Call, TurnKind, TurnRecord, Usage

# Written as SQL, as in `add_to_run`: putting it together anew takes the ORM longer than the database
# takes to carry it out, and eight runs share one interpreter.
KEEP_OBSERVATION = f"""
    UPDATE {ToolCall._meta.db_table}
    SET command = %s, output = %s, output_bytes = %s, exit_code = %s, timed_out = %s, duration_s = %s
    WHERE turn_id = (SELECT id FROM {Turn._meta.db_table} WHERE run_id = %s AND number = %s) AND number = %s
"""  # noqa: S608 - all names are ours


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
    usage = turn.reply.usage
    counted = usage or Usage()
    add_to_run(
        claim,
        turns_total=int(turn.kind is TurnKind.REPLY),
        input_tokens=counted.input_tokens,
        cache_read_tokens=counted.cache_read_tokens,
        cache_write_tokens=counted.cache_write_tokens,
        output_tokens=counted.output_tokens,
        reasoning_tokens=counted.reasoning_tokens,
        # What is unknown once stays unknown: anything plus NULL is NULL.
        cost_usd=turn.reply.cost_usd,
        duration_s=turn.reply.duration_s,
    )
    if usage is None:
        held(claim).update(tokens_known=False)


def add_to_run(claim: Claim, **amounts: float | None) -> None:
    """Add to columns of a run; raise LostClaim when the claim no longer holds.

    Written as SQL: this is the busiest statement of a worker, and the ORM takes 3 ms a turn to put
    its eight sums together.
    """
    sums = ", ".join(f"{column} = {column} + %s" for column in amounts)
    claimed = "id = %s AND state = %s AND claimed_by = %s AND attempt = %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Run._meta.db_table} SET {sums} WHERE {claimed}",  # noqa: S608 - all names are ours
            [*amounts.values(), claim.run_id, RunState.RUNNING.value, claim.worker, claim.attempt],
        )
        if not cursor.rowcount:
            raise LostClaim(f"run {claim.run_id} is in other hands")


def save_observations(claim: Claim, turn: TurnRecord) -> None:
    """Keep what the tools of a saved turn gave back.

    Raises:
        LostClaim: the run has been given to another worker; nothing was saved.
    """
    if not turn.observations:
        return
    with transaction.atomic():
        add_to_run(claim, duration_s=sum(seen.duration_s for seen in turn.observations))
        with connection.cursor() as cursor:
            cursor.executemany(
                KEEP_OBSERVATION,
                [
                    (
                        *(seen.command, seen.output, seen.bytes_before_cut),
                        *(seen.exit_code, seen.timed_out, seen.duration_s),
                        *(claim.run_id, turn.number, place),
                    )
                    for place, seen in enumerate(turn.observations, start=1)
                ],
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
