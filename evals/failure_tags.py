"""Tags for what went wrong in a run.

MAST codes: Cemri et al., "Why Do Multi-Agent LLM Systems Fail?", arXiv 2503.13657. The others are of this
benchmark.
"""

from __future__ import annotations

MAST = {
    "mast-1.1": "disobeys the task",
    "mast-1.2": "disobeys its role",
    "mast-1.3": "repeats finished steps",
    "mast-1.4": "loses its history",
    "mast-1.5": "does not know when to stop",
    "mast-2.1": "starts over",
    "mast-2.2": "does not ask",
    "mast-2.3": "derails",
    "mast-2.4": "withholds what it knows",
    "mast-2.5": "ignores evidence",
    "mast-2.6": "reasons one way and acts another",
    "mast-3.1": "stops early",
    "mast-3.2": "verifies nothing, or half",
    "mast-3.3": "verifies wrongly",
}
OURS = {
    "symptom-as-cause": "takes a symptom for the cause",
    "over-reporting": "blames bystanders too",
    "chaos-controller": "blames what injected the fault",
    "wrong-kind": "right name, wrong kind",
    "wrong-namespace": "right name, wrong namespace",
    "no-output": "hands nothing in",
    "cap-reached": "uses up its turns",
    "malformed-answer": "an answer that can't be read",
}
TAGS = {**OURS, **MAST}


def title_of(tag: str) -> str:
    """Return a tag with its meaning: "2.5 ignores evidence"."""
    code = f"{tag.removeprefix('mast-')} " if tag in MAST else ""
    return f"{code}{TAGS.get(tag, tag)}"
