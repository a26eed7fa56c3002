"""Text out of a sandbox or a model, made fit for a page. The template escapes it as any other text."""

from __future__ import annotations

import re
from dataclasses import dataclass

FOLD_LINES = 20
FOLD_CHARACTERS = 2000
# Of a folded text only this much is sent with the page: twenty turns of them stay below some kilobytes.
PREVIEW_LINES = 8
PREVIEW_CHARACTERS = 640

ESCAPE_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS and the like: titles, links
    r"|\x1b[ -/]*[0-~]?"  # the short ones
)
# Control characters but tab and line feed, and those that turn the direction of text around.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Folded:
    """A text of which a page shows all, or the beginning."""

    shown: str
    lines: int
    characters: int
    whole: bool


def readable(text: str) -> str:
    """Return the text without escape sequences and control characters; a rewritten line stays a line."""
    plain = ESCAPE_SEQUENCE.sub("", text)
    return UNPRINTABLE.sub("", plain.replace("\r\n", "\n").replace("\r", "\n"))


def folded(text: str) -> Folded:
    plain = readable(text).rstrip("\n")
    lines = plain.count("\n") + 1 if plain else 0
    if lines <= FOLD_LINES and len(plain) <= FOLD_CHARACTERS:
        return Folded(plain, lines, len(plain), whole=True)
    preview = "\n".join(plain.split("\n", PREVIEW_LINES)[:PREVIEW_LINES])[:PREVIEW_CHARACTERS]
    return Folded(preview, lines, len(plain), whole=False)
