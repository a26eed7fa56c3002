"""The baseline that blames whatever most alerts name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

from evals.llm.baselines.conversation import Answer, Factor, Look, Seen
from evals.llm.baselines.installing import install_command, toolkit

NOT_COMPLAINTS = ("Watchdog", "InfoInhibitor")  # They fire to show that alerting works.


def loudest() -> Generator[Look, Seen, Answer]:
    seen = yield Look(
        f"{install_command('symptoms')}\n{toolkit('alerts --limit 200')}",
        "I read the alerts, to see what most of them name.",
    )
    loud: Counter[tuple[str, str]] = Counter()
    for alert in seen.rows:
        if alert.get("target") and alert.get("alert") not in NOT_COMPLAINTS:
            loud[alert.get("namespace", ""), alert["target"]] += alert.get("files", 1)
    if not loud:
        return Answer((), "No alert names anything, so I have nobody to blame.")
    # By name among equals, so that the same alerts always give the same answer.
    (namespace, target), times = min(loud.items(), key=lambda item: (-item[1], item[0]))
    factor = Factor(
        f"{namespace}/Deployment/{target}",
        "More alerts name it than anything else.",
        f"It is named {times} times in the alert files.",
    )
    return Answer((factor,), f"{target} is named most often, {times} times: I blame it.")
