"""What staff say of runs and turns: failure tags and comments."""

from __future__ import annotations

from dataclasses import dataclass

from evals.failure_tags import TAGS
from evals.models import Remark, Run

MOST_CHARACTERS = 4000


class RemarkRefused(Exception):
    """A remark that can't be kept; the sentence says why."""


@dataclass(frozen=True)
class Said:
    """What somebody wants to say: a tag, a comment, or both."""

    tag: str = ""
    comment: str = ""
    turn: int | None = None  # its number; None: of the whole run


def add_remark(run: Run, said: Said, author_id: int | None) -> Remark:
    """Keep a remark. A tag that the run or the turn bears already is not set a second time.

    Raises:
        RemarkRefused: it says nothing, its tag is unknown, or the run has no such turn.
    """
    comment = said.comment.replace("\0", "\ufffd").strip()
    if not said.tag and not comment:
        raise RemarkRefused("Choose a tag or write a comment.")
    if said.tag and said.tag not in TAGS:
        raise RemarkRefused(f"There is no tag {said.tag[:40]!r}.")
    if len(comment) > MOST_CHARACTERS:
        raise RemarkRefused(f"A comment has at most {MOST_CHARACTERS} characters.")
    turn = None if said.turn is None else run.turns.filter(number=said.turn).first()
    if said.turn is not None and turn is None:
        raise RemarkRefused(f"This run has no turn {said.turn}.")
    if not said.tag:
        return Remark.objects.create(run=run, turn=turn, comment=comment, author_id=author_id)
    remark, made = Remark.objects.get_or_create(
        run=run, turn=turn, tag=said.tag, defaults={"comment": comment, "author_id": author_id}
    )
    if not made and comment:
        return Remark.objects.create(run=run, turn=turn, comment=comment, author_id=author_id)
    return remark
