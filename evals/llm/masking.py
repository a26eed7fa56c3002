"""Keeping keys out of what people read."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"
SHORTEST_SECRET = 6  # A shorter value would mask parts of ordinary words.
SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_\w+)?$", re.IGNORECASE)
SECRET_SHAPE = re.compile(
    r"(?<![\w-])(?:sk|pk|gsk|xai|hf|AIza|AKIA|ghp|glpat)[-_]?[A-Za-z0-9*][A-Za-z0-9_*.-]{14,}"
    r"|(?i:(?<=bearer )|(?<=[?&]key=)|(?<=api_key=)|(?<=x-api-key: ))[^\s&\"',;]+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)


def masked(text: str, environment: Mapping[str, str]) -> str:
    """Return the text without the values of secret variables and without what looks like a key."""
    values = {value for name, value in environment.items() if SECRET_NAME.search(name)}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SHORTEST_SECRET:
            text = text.replace(value, MASK)
    return SECRET_SHAPE.sub(MASK, text)
