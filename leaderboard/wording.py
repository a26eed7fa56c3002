"""Words that several pages use for the same thing."""

from __future__ import annotations

from leaderboard.terminal import readable

# Kinds of false positives, by evals.grading.mistaken.
MISTAKE_WORDS = {
    "malformed": "malformed",
    "wrong_kind": "wrong kind",
    "wrong_namespace": "wrong namespace",
    "mechanism": "upstream mechanism",
    "symptom": "symptom",
    "bystander": "bystander",
}


def entity_in_words(description: str) -> str:
    """Return the description of a root cause without the word boundaries of its patterns."""
    return readable(description).replace(r"\b", "")
