"""Text from outside, YAML or JSON, read without trusting it."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

# The largest real ground truth has 11 kB; what is far above that is no ground truth.
MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 50_000  # with every YAML alias written out, so that a nest of aliases is no bomb

_FastLoader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml's is ten times as fast


class DocumentError(ValueError):
    """A document is not what was expected: `place` in it, and `reason` with what was."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class _PlainLoader(_FastLoader):  # type: ignore[misc]
    """Mappings, lists, true, false, null, and text: a name like `1e3` or `on` stays what was written."""


_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]
)
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_PlainLoader.add_constructor("tag:yaml.org,2002:null", lambda loader, node: None)
_PlainLoader.add_constructor("tag:yaml.org,2002:bool", lambda loader, node: node.value.lower() == "true")


def load_document(raw: bytes | str) -> Any:
    """Return what YAML or JSON text holds: dict, list, str, bool, None, and of JSON also numbers.

    Raises:
        DocumentError: not UTF-8, too long, too deep, too many values, or not to be parsed.
    """
    text = raw if isinstance(raw, str) else _decoded(raw)
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(
            "document", f"at most {MAX_CHARACTERS:,} characters expected, {len(text):,} found"
        )
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except RecursionError:
            raise DocumentError("document", f"at most {MAX_DEPTH} levels expected") from None
        except ValueError:
            pass  # a mapping in YAML's flow style starts with a brace too
    return _load_yaml(text)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"byte {error.start}", "UTF-8 text expected") from error


def _load_yaml(text: str) -> Any:
    try:
        _check_size(text)
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 (it builds no objects)
    except yaml.MarkedYAMLError as error:
        place = _line(error.problem_mark or error.context_mark)
        raise DocumentError(place, f"YAML or JSON expected: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise DocumentError("document", f"YAML or JSON expected: {str(error).splitlines()[0]}") from error


def _line(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "document"


def _check_size(text: str) -> None:
    """Walk the events, which costs no memory, before anything is built from them.

    Building recurses in C, where depth is a crash and not an exception.
    """
    anchored: dict[str, int] = {}  # values below each anchor, aliases written out
    open_sizes: list[int] = [0]
    open_anchors: list[str | None] = []
    for event in yaml.parse(text, Loader=_PlainLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_sizes.append(1)
            open_anchors.append(event.anchor)
            if len(open_anchors) > MAX_DEPTH:
                raise DocumentError(_line(event.start_mark), f"at most {MAX_DEPTH} levels expected")
            continue
        size = _event_size(event, open_sizes, anchored)
        anchor = open_anchors.pop() if isinstance(event, yaml.CollectionEndEvent) else None
        anchor = event.anchor if isinstance(event, yaml.ScalarEvent) else anchor
        if anchor:
            anchored[anchor] = size
        open_sizes[-1] += size
        if open_sizes[-1] > MAX_VALUES:
            raise DocumentError(_line(event.start_mark), f"at most {MAX_VALUES:,} values expected")


def _event_size(event: yaml.Event, open_sizes: list[int], anchored: dict[str, int]) -> int:
    if isinstance(event, yaml.CollectionEndEvent):
        return open_sizes.pop()
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchored:
            raise DocumentError(
                _line(event.start_mark), f"an anchor before the alias *{event.anchor} expected"
            )
        return anchored[event.anchor]
    return int(isinstance(event, yaml.ScalarEvent))


# --- Values, each with its place for the error ------------------------------------------------------


def mappings_at(value: Any, place: str) -> list[tuple[dict[str, Any], str]]:
    """Return each mapping of a list with its place; a single one need not stand in a list."""
    items = [] if value is None else value if isinstance(value, list) else [value]
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            raise DocumentError(f"{place}[{i}]", f"a mapping expected, {shape(item)} found")
    return [(item, f"{place}[{i}]") for i, item in enumerate(items)]


def texts_at(value: Any, place: str) -> tuple[str, ...]:
    """Return the texts of a list, empty ones left out; a single text need not stand in a list."""
    items = [] if value is None else value if isinstance(value, list) else [value]
    texts = (text_at(item, f"{place}[{i}]") for i, item in enumerate(items))
    return tuple(text for text in texts if text)


def required_text(mapping: dict[str, Any], key: str, place: str) -> str:
    text = text_at(mapping.get(key), f"{place}.{key}")
    if not text:
        raise DocumentError(f"{place}.{key}", "a text expected, nothing found")
    return text


def text_at(value: Any, place: str) -> str:
    """Return the trimmed text; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise DocumentError(place, f"a text expected, {shape(value)} found")
    text = str(value).strip()
    # JSON can spell what no database column holds: a NUL, and half of a surrogate pair.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise DocumentError(place, f"a text without NUL and lone surrogates expected, {text!r} found")
    return text


def shape(value: Any) -> str:
    """Say in two words what was found instead of what was expected."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return ("a mapping" if isinstance(value, dict) else "a list") if value else "an empty one"
    return repr(str(value)[:60])
