"""Steps of an ATIF trajectory as turns. What our tables have no column for is kept in `unmapped`.

`unmapped["atif"]` holds, each where there is any: `given` and `step` (what the steps had beside their
mapped fields), `calls`, and of an observation that is not one text a call in their order either
`results` (which call each belongs to, and what it had beside its text) or the whole `observation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evals.agent.tools import storable
from evals.exchange.atif_calls import EXTRA, arguments_object, arguments_text, command_of
from evals.exchange.atif_steps import ATIF, output_size
from evals.exchange.fields import Fields, clean
from evals.exchange.incoming import Given, IncomingTurn
from evals.trajectory import Observation, Reply, ToolCall, TurnKind, TurnRecord, Usage

SOURCES = ("system", "user", "agent")
# Where harnesses tell of these; ATIF has no field for them.
CACHE_WRITES = ("cache_creation_input_tokens", "cache_write_tokens")
REASONING = ("reasoning_tokens", "reasoning_output_tokens")
# Of the tools of a step that had an output and called none.
NO_TOOL = "observation"


def incoming_turn(step: Fields, before: Sequence[Fields], number: int) -> IncomingTurn:
    """Return an agent's step, and the steps before it that told the agent something, as a turn."""
    given, given_rest = zip(*map(given_of, before), strict=True) if before else ((), ())
    own = step.object("extra")
    ours = own.object(EXTRA)
    message, message_rest = text_of(step.left.pop("message", None), step, "message")
    calls, observations, calls_rest = calls_and_observations(step)
    usage, cost_usd, metrics_rest = usage_of(step.object("metrics"))
    reply = Reply(
        text=message,
        tool_calls=tuple(calls),
        reasoning=step.text("reasoning_content"),
        usage=usage,
        cost_usd=cost_usd,
        duration_s=ours.amount("duration_s") or 0.0,
        finish_reason=ours.text("finish_reason"),
        provider_fields=clean(ours.object("provider_fields").left),
    )
    record = TurnRecord(number, reply, tuple(observations), kind_of(ours), step.moment("timestamp"))
    others = ours.object("unmapped").left
    step_rest = step.rest | message_rest | metrics_rest | extra_left(own, ours)
    rest = calls_rest | {
        "given": list(given_rest) if any(given_rest) else None,
        "step": step_rest or None,
    }
    return IncomingTurn(record, given, unmapped_of(rest, others))


def kind_of(ours: Fields) -> TurnKind:
    if ours.left.get("kind") is None:
        return TurnKind.REPLY
    return TurnKind(ours.one_of("kind", tuple(TurnKind)))


def extra_left(own: Fields, ours: Fields) -> dict[str, Any]:
    """Return what is left of an `extra` once ours is taken out of it."""
    left = own.left | ({EXTRA: ours.left} if ours.left else {})
    return {"extra": left} if left else {}


def unmapped_of(rest: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in rest.items() if value is not None}
    kept = {name: value for name, value in others.items() if name != ATIF}
    return clean(kept | ({ATIF: told} if told else {}))  # type: ignore[no-any-return]


def given_of(step: Fields) -> tuple[Given, dict[str, Any]]:
    """Return what a step told the agent, and what the step had beside that."""
    source = step.one_of("source", SOURCES)
    text, rest = text_of(step.left.pop("message", None), step, "message")
    said = [text] if text else []
    if observation := step.left.get("observation"):
        # Of a system that acted by itself. The step keeps it whole.
        results = Fields(observation, step.name, f"{step.place}.observation").objects("results")
        said += [content_of(result)[0] for result in results]
        rest = {"message": text} | rest
    return Given(source, "\n".join(said)), step.rest | rest


def text_of(value: Any, owner: Fields, field: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a content, and the content itself where it is more than a text."""
    if value is None or isinstance(value, str):
        return storable(value or ""), {}
    if not isinstance(value, list):
        raise owner.problem(field, "a text or a list of parts expected")
    place = f"{owner.place}.{field}"
    parts = [Fields(part, owner.name, f"{place}[{number}]") for number, part in enumerate(value)]
    return "\n".join(part_text(part) for part in parts), {field: value}


def part_text(part: Fields) -> str:
    kind = part.text("type")
    return part.text("text") if kind == "text" else f"[{kind}: {part.object('source').text('path')}]"


# --- Calls and what they gave back ----------------------------------------------------------------------


def calls_and_observations(step: Fields) -> tuple[list[ToolCall], list[Observation], dict[str, Any]]:
    """Return both, and what of them goes into `unmapped`."""
    raw = step.left.get("observation")
    results = step.object("observation").objects("results")
    calls = step.objects("tool_calls")
    rest: dict[str, Any] = {}
    if results and not calls:
        rest["no_calls"] = True
        calls = [Fields({"function_name": NO_TOOL}, step.name, step.place) for _ in results]
    read = [call_of(call) for call in calls]
    if any(call_rest for *_, call_rest in read):
        rest["calls"] = [call_rest for *_, call_rest in read]
    owners = owners_of(results, [call.id for call, *_ in read])
    outputs, results_rest = outputs_of(results, owners)
    if len(set(owners)) < len(owners):
        rest["observation"] = raw
    elif results_rest:
        rest["results"] = results_rest
    observations = [
        observation_of(call, ours, outputs.get(place, ""))
        # What has no result of its own, but one behind it, was carried out and printed nothing.
        for place, (call, ours, _) in enumerate(read[: max(owners, default=-1) + 1])
    ]
    return [call for call, *_ in read], observations, rest


def call_of(fields: Fields) -> tuple[ToolCall, Fields, dict[str, Any]]:
    """Return a call, what of ours stands beside it, and what else does."""
    own = fields.object("extra")
    ours = own.object(EXTRA)
    written = ours.text("arguments") if "arguments" in ours.left else None
    call = ToolCall(
        id=fields.text("tool_call_id"),
        name=fields.text("function_name"),
        arguments=arguments_of(fields) if written is None else written,
    )
    if written is not None:
        fields.left.pop("arguments", None)
    return call, ours, fields.rest | ({"extra": own.left} if own.left else {})


def arguments_of(fields: Fields) -> str:
    """Return the arguments as a model would have written them."""
    arguments = fields.left.pop("arguments", None)
    if arguments is None or isinstance(arguments, str):
        return storable(arguments or "")
    if not isinstance(arguments, dict):
        raise fields.problem("arguments", "an object expected")
    try:
        return arguments_text(arguments)
    except ValueError:
        return arguments_text(clean(arguments))


def owners_of(results: Sequence[Fields], ids: Sequence[str]) -> list[int]:
    """Return the place of the call each result belongs to; one that says none belongs to the last call."""
    free: dict[str, list[int]] = {}
    for place, call_id in enumerate(ids):
        free.setdefault(call_id, []).append(place)
    owners = []
    for number, result in enumerate(results):
        source = result.left.get("source_call_id")
        if source is None:
            # Without calls each result has a call of its own, made for it.
            owners.append(number if len(ids) == len(results) and not any(ids) else len(ids) - 1)
        elif not isinstance(source, str) or source not in free:
            raise result.problem("source_call_id", "the id of a call of the same step expected")
        else:
            places = free[source]
            owners.append(places.pop(0) if len(places) > 1 else places[0])
    return owners


def outputs_of(
    results: Sequence[Fields], owners: Sequence[int]
) -> tuple[dict[int, str], list[dict[str, Any]] | None]:
    """Return the output of each call, and the results' own story where it is not the usual one."""
    outputs: dict[int, str] = {}
    stories: list[dict[str, Any]] = []
    for result, owner in zip(results, owners, strict=True):
        text, rest = content_of(result)
        outputs[owner] = f"{outputs[owner]}\n{text}" if owner in outputs else text
        source = {} if result.left.pop("source_call_id", None) is not None else {"without_id": True}
        stories.append({"call": owner, **source, **rest})
    usual = [{"call": place} for place in range(len(stories))]
    return outputs, None if stories == usual else stories


def content_of(result: Fields) -> tuple[str, dict[str, Any]]:
    """Return a result's text, and all it had that the text does not tell."""
    content = result.left.pop("content", None)
    text, rest = ("", {"content": None}) if content is None else text_of(content, result, "content")
    if refs := result.copies("subagent_trajectory_ref"):
        names = [ref.text("trajectory_id") or ref.text("trajectory_path") for ref in refs]
        rest = {"content": content}
        text = "\n".join(filter(None, [text, *(f"[trajectory of a subagent: {name}]" for name in names)]))
    others = {name: value for name, value in result.rest.items() if name != "source_call_id"}
    return text, rest | others


def observation_of(call: ToolCall, ours: Fields, output: str) -> Observation:
    arguments, _ = arguments_object(call.arguments)
    told = ours.text("command") if "command" in ours.left else None
    size = ours.count("output_bytes")
    return Observation(
        call_id=call.id,
        output=output,
        command=command_of(call.name, arguments) if told is None else told,
        exit_code=ours.whole_number("exit_code"),
        timed_out=ours.flag("timed_out"),
        bytes_before_cut=output_size(output) if size is None else size,
        duration_s=ours.amount("duration_s") or 0.0,
    )


# --- Tokens and money -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """The token counts of a step, or of a whole trajectory, by the names they have there."""

    prompt: str
    completion: str
    cached: str

    def usage(self, metrics: Fields) -> Usage | None:
        """Take the counts out; None, and they stay, where a prompt's or a reply's are not told.

        What the tables can't tell of them is put back.
        """
        own = metrics.object("extra")
        ours = own.object(EXTRA)
        told = {name: metrics.count(name) for name in (self.prompt, self.completion, self.cached)}
        prompt, completion, cached = told.values()
        metrics.left = metrics.rest
        if prompt is None or completion is None:
            metrics.left |= {name: number for name, number in told.items() if number is not None}
            metrics.left |= extra_left(own, ours)
            return None
        if cached is None:
            metrics.left[self.cached] = None
        elif cached > prompt:
            # Against the format, some count the cached ones apart.
            metrics.left[self.prompt] = prompt
            prompt += cached
        read = cached or 0
        written = min(ours.count("cache_write_tokens") or told_elsewhere(own, CACHE_WRITES), prompt - read)
        reasoning = ours.count("reasoning_tokens") or told_elsewhere(own, REASONING)
        metrics.left |= extra_left(own, ours)
        return Usage(prompt - read - written, read, written, completion, reasoning)


OF_A_STEP = Counts("prompt_tokens", "completion_tokens", "cached_tokens")


def usage_of(metrics: Fields) -> tuple[Usage | None, float | None, dict[str, Any]]:
    """Return the tokens, the dollars, and the metrics beyond both."""
    cost_usd = metrics.amount("cost_usd")
    usage = OF_A_STEP.usage(metrics)
    return usage, cost_usd, {"metrics": metrics.left} if metrics.left else {}


def told_elsewhere(extra: Fields, names: Sequence[str]) -> int:
    """Return a count that a harness told in its own words; 0 where it did not, or not as a number."""
    numbers = [extra.left.get(name) for name in names]
    return next((number for number in numbers if type(number) is int and number >= 0), 0)
