"""Name patterns of the ground truth, which are data: some are no regular expressions, any may be hostile."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

# Linear time whatever the pattern: a backtracking engine would hang on some that a file may hold.
import re2

_POD_SUFFIXES = ("-.*", "-.+")


class Pattern(Protocol):
    def fullmatch(self, text: str) -> object | None: ...


@lru_cache(maxsize=4096)
def name_patterns(filters: tuple[str, ...]) -> tuple[Pattern, ...]:
    """Return what a name may match as a whole: each filter, and each without its trailing `-.*`.

    The second lets a Deployment `ad` meet the pattern of its pods, `ad-.*`.
    """
    texts = dict.fromkeys(filters)
    texts.update(dict.fromkeys(base for text in filters if (base := without_pod_suffix(text))))
    return tuple(_compiled(text) for text in texts)


def without_pod_suffix(pattern: str) -> str:
    suffix = next((suffix for suffix in _POD_SUFFIXES if pattern.endswith(suffix)), "")
    return pattern.removesuffix(suffix)


@lru_cache(maxsize=4096)
def regular_expression(text: str) -> Pattern | None:
    """Return the compiled pattern, or None for what RE2 does not take as a regular expression."""
    options = re2.Options()
    options.log_errors = False  # else RE2 writes to the process's stderr
    try:
        pattern: Pattern = re2.compile(text, options)
    except re2.error:
        return None
    return pattern


def _compiled(text: str) -> Pattern:
    return regular_expression(text) or _glob(text)


def _glob(text: str) -> Pattern:
    """Read `*.*` and the like: a shell pattern on the part after its last dot."""
    pieces = re.split(r"([*?])", text.rpartition(".")[2])
    translated = "".join({"*": ".*", "?": "."}.get(piece) or re2.escape(piece) for piece in pieces)
    pattern: Pattern = re2.compile(translated)
    return pattern
