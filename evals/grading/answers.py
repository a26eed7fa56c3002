"""The answer file of an agent: raw bytes in, the entities it blames out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_ANSWER_BYTES = 1_000_000
MAX_ENTITIES = 200

BOM = b"\xef\xbb\xbf"
FENCE = "```"


@dataclass(frozen=True)
class BlamedEntity:
    """One entity as the agent named it. No text holds a NUL or half a surrogate pair."""

    name: str
    reasoning: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Answer:
    """What was read. An invalid answer is a result, the agent's failure, and blames nothing."""

    entities: tuple[BlamedEntity, ...] = ()
    invalid_because: str | None = None  # None: valid
    notes: tuple[str, ...] = ()  # what was tolerated


class _Invalid(Exception):
    """Carries the reason up to `_read`; never leaves this module."""


Shape = Callable[[Mapping[str, Any]], list[BlamedEntity]]


def read_answer(raw: bytes) -> Answer:
    """Read `{"contributing_factors": [{"name": ...}]}`, the only shape that counts for runs made here."""
    return _read(raw, {"contributing_factors": _contributing_factors})


def read_recorded_answer(raw: bytes) -> Answer:
    """Read the answer of a run recorded elsewhere: as above, IBM's `entities` or Harbor's `root_causes`."""
    return _read(
        raw,
        {
            "contributing_factors": _contributing_factors,
            "entities": _ibm_entities,
            "root_causes": _harbor_root_causes,
        },
    )


def _read(raw: bytes, shapes: Mapping[str, Shape]) -> Answer:
    notes: list[str] = []
    try:
        document = _document(raw, notes)
        key = next((key for key in shapes if key in document), None)
        if key is None:
            raise _Invalid(f"no key {' or '.join(shapes)}")
        entities = shapes[key](document)
    except _Invalid as problem:
        return Answer(invalid_because=str(problem), notes=tuple(notes))
    except RecursionError:
        return Answer(invalid_because="JSON nested too deep", notes=tuple(notes))
    return Answer(tuple(entities), notes=tuple(notes))


def _document(raw: bytes, notes: list[str]) -> dict[str, Any]:
    if len(raw) > MAX_ANSWER_BYTES:
        raise _Invalid(f"{len(raw):,} bytes, more than {MAX_ANSWER_BYTES:,}")
    if raw.startswith(BOM):
        notes.append("a byte order mark was ignored")
        raw = raw.removeprefix(BOM)
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError as error:
        raise _Invalid(f"not UTF-8 text at byte {error.start}") from error
    if (unfenced := _without_fence(text)) is not None:
        notes.append("a code fence around the answer was ignored")
        text = unfenced
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _Invalid(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise _Invalid("not a JSON object")
    return document


def _without_fence(text: str) -> str | None:
    """Return what one surrounding code fence holds, or None when there is no fence."""
    if len(text) < 2 * len(FENCE) or not (text.startswith(FENCE) and text.endswith(FENCE)):
        return None
    body = text.removeprefix(FENCE).removesuffix(FENCE)
    language, line_end, rest = body.partition("\n")
    return rest if line_end and (not language.strip() or language.strip().isalnum()) else body


def _contributing_factors(document: Mapping[str, Any]) -> list[BlamedEntity]:
    return [_blamed(item) for item in _objects(document, "contributing_factors")]


def _ibm_entities(document: Mapping[str, Any]) -> list[BlamedEntity]:
    """IBM's agents list every entity they looked at, and mark those that they blame."""
    blamed = [item for item in _objects(document, "entities") if item.get("contributing_factor") is True]
    return [_blamed(item) for item in blamed]


def _harbor_root_causes(document: Mapping[str, Any]) -> list[BlamedEntity]:
    return [_blamed(_with_full_name(item)) for item in _objects(document, "root_causes")]


def _with_full_name(item: Mapping[str, Any]) -> dict[str, Any]:
    """Join name, kind and namespace; without a namespace the entity belongs to the cluster."""
    kind, name = item.get("kind"), item.get("name")
    if not isinstance(kind, str) or not isinstance(name, str):
        raise _Invalid("an entry of root_causes without a text as kind and name")
    return {**item, "name": f"{item.get('namespace') or 'cluster'}/{kind}/{name}"}


def _objects(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = document[key]
    if not isinstance(value, list):
        raise _Invalid(f"{key} is not a list")
    if len(value) > MAX_ENTITIES:
        raise _Invalid(f"{len(value)} entities, more than {MAX_ENTITIES}")
    for position, item in enumerate(value, start=1):
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise _Invalid(f"entry {position} of {key} is not an object with a text as name")
    return value


def _blamed(item: Mapping[str, Any]) -> BlamedEntity:
    return BlamedEntity(*(_storable(item.get(key)) for key in ("name", "reasoning", "evidence")))


def _storable(value: Any) -> str:
    """Return text that every database takes; what is no text is shown as JSON."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
