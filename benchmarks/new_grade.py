"""A grade that comes in while a site is served: stored by another process, as workers do.

`python -m benchmarks.new_grade DIR` stores one grade in a seeded folder for each line it reads, and says
so in a line. When its input ends it removes them all.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.seed_scale import set_up

APART = 997  # runs from one to the next that is graded again: another model and another task


@contextmanager
def grading(data: Path) -> Iterator[Callable[[], None]]:
    """Yield a function that stores one grade; all are removed at the end."""
    command = [sys.executable, "-m", "benchmarks.new_grade", str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines, answers = process.stdin, process.stdout

        def store() -> None:
            lines.write("store\n")
            lines.flush()
            if answers.readline() != "stored\n":
                raise RuntimeError(f"no grade was stored in {data}")

        yield store
        lines.close()


def store_grade(place: int) -> int:
    """Store a grade by a newer version that says the opposite of the present one; return its id."""
    # Imported here: the tables need Django, which `main` sets up on a folder first.
    from evals.models import Grade, GradeOutcome

    ended = Grade.objects.order_by("pk")
    old = ended[place * APART % ended.count()]
    right = old.score == 0
    new = Grade.objects.create(
        run_id=old.run_id,
        grader=old.grader,
        grader_version=old.grader_version + 1 + place,
        score=1 if right else 0,
        outcome=GradeOutcome.EXACT if right else GradeOutcome.MISSED,
        true_positives=int(right),
        false_positives=0,
        false_negatives=int(not right),
    )
    return new.pk


def main() -> None:
    set_up(Path(sys.argv[1]))
    from evals.models import Grade

    stored: list[int] = []
    try:
        for _ in sys.stdin:
            stored.append(store_grade(len(stored)))
            print("stored", flush=True)
    finally:
        Grade.objects.filter(pk__in=stored).delete()


if __name__ == "__main__":
    main()
