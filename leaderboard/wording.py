"""Words that several pages use for the same thing."""

from __future__ import annotations

# Kinds of false positives, by evals.grading.mistaken.
MISTAKE_WORDS = {
    "malformed": "malformed",
    "wrong_kind": "wrong kind",
    "wrong_namespace": "wrong namespace",
    "mechanism": "upstream mechanism",
    "symptom": "symptom",
    "bystander": "bystander",
}
