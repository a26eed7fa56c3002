"""JSON as it goes out: never what another reader refuses, whatever a model or a provider wrote."""

from __future__ import annotations

import base64
import json
import math
from typing import Any


def json_text(value: Any) -> str:
    """Return the value as JSON on one line; what JSON has no number for (NaN, infinity) is null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(without_nan(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    return [without_nan(inner) for inner in value] if isinstance(value, list) else value


def utf8(text: str) -> bytes:
    """Return JSON text as bytes; half a surrogate pair, which UTF-8 can't hold, becomes its JSON escape."""
    return text.encode(errors="backslashreplace")


def bytes_json(raw: bytes | memoryview | None) -> dict[str, str] | None:
    """Return bytes in a form JSON can hold: as text where they are UTF-8, else as base64."""
    if raw is None:
        return None
    raw = bytes(raw)
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def bytes_of(form: dict[str, str] | None) -> bytes | None:
    """Return the bytes that `bytes_json` wrote.

    Raises:
        ValueError: it did not write this.
    """
    if form is None:
        return None
    if isinstance(text := form.get("text"), str):
        return text.encode()
    if isinstance(encoded := form.get("base64"), str):
        return base64.b64decode(encoded, validate=True)
    raise ValueError('neither "text" nor "base64"')
