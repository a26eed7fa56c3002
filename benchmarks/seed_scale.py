"""Fill a data folder with a board of 100 models (or so many), 59 tasks and 3 repeats.

`python -m benchmarks.seed_scale --turns 1000000 --data DIR` makes 17,700 runs with their grades and, over
all of them, so many turns. Ten times the turns make the same runs ten times as long.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import django
from django.core.management import call_command

LEAST_TURNS_A_RUN = 10


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed_scale", description=__doc__)
    parser.add_argument("--turns", type=int, default=1_000_000, help="of all runs together")
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="the folder; without it one in the temporary folder")
    wanted = parser.parse_args()
    data = wanted.data or Path(tempfile.gettempdir(), f"itbench-scale-{wanted.turns}")
    set_up(data)
    call_command("migrate", verbosity=0)
    # Imported here: the tables need Django, and Django has to know the data folder first.
    from benchmarks.scale import SLUG, Scale, seed
    from evals.models import Benchmark

    scale = Scale(models=wanted.models, turns=wanted.turns, seed=wanted.seed)
    if scale.turns < LEAST_TURNS_A_RUN * scale.runs:
        parser.error(f"--turns {scale.turns}: {scale.runs} runs need at least {LEAST_TURNS_A_RUN} each")
    if Benchmark.objects.filter(slug=SLUG).exists():
        parser.error(f"--data {data}: it is filled already; name another folder or remove this one")
    start = time.perf_counter()
    seed(scale)
    print(summary(data, time.perf_counter() - start))
    return 0


def set_up(data: Path) -> None:
    """Set Django up on a data folder; importing tables comes after it."""
    os.environ["ITBENCH_DATA_DIR"] = str(data.resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itbench_site.settings")
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    django.setup()


def summary(data: Path, seconds: float) -> str:
    # Imported here for the same reason as in `main`.
    from evals.models import Evaluation, Grade, LanguageModel, Run, Task, ToolCall, Turn

    counts = {
        table._meta.verbose_name_plural: table._default_manager.count()
        for table in (LanguageModel, Task, Evaluation, Run, Grade, Turn, ToolCall)
    }
    size = sum(file.stat().st_size for file in data.glob("site.sqlite3*"))
    made = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    return f"{made} in {seconds:.0f} s; {size / 1e6:,.0f} MB in {data}"


if __name__ == "__main__":
    sys.exit(main())
