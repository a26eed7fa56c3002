"""How fast and how heavy the page of a run is: `make bench ARGS=trajectories`.

Two runs, of 100 and of 1,000 turns with 20 KB of output each, on the real server and in the real browser with
a cold cache. Exit code 1 when a bound is missed.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.pages import Figure, print_figures, weighed
from benchmarks.seed_scale import set_up
from benchmarks.serving import Effort, Site, SiteError, Target, serving, side_by_side

LENGTHS = (100, 1000)
COLD_STARTS = 7
CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
# The scripts stand ready and the page is laid out: keys and links answer.
READY = "document.readyState === 'complete' && Boolean(window.showTurn)"


def main() -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="itbench-bench-") as folder:
            ids = seeded(Path(folder))
            with serving(Path(folder)) as site:
                held = print_figures([*served(site, ids), *shown(site, ids)])
    except SiteError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0 if held else 1


def seeded(folder: Path) -> list[int]:
    set_up(folder)
    # Imported here: the tables need Django, and Django has to know the data folder first.
    from django.core.management import call_command

    from benchmarks.long_runs import seed_long_runs

    call_command("migrate", verbosity=0)
    return seed_long_runs(LENGTHS)


def served(site: Site, ids: list[int]) -> Iterator[Figure]:
    """Measure what the server sends, and when: one visitor on a connection that is kept open."""
    with site.visitors(1) as visitors:
        for length, run in zip(LENGTHS, ids, strict=True):
            first, last = f"/runs/{run}/", f"/runs/{run}/?turn={length * 9 // 10}"
            weight = weighed(visitors[0], first)
            early, late = side_by_side(Target(visitors, first), Target(visitors, last), Effort(200, 15.0))
            yield Figure(f"run of {length} turns, compressed", weight.compressed / 1000, "KB", 60)
            yield Figure(f"run of {length} turns, queries", weight.queries, "", 10)
            yield Figure(f"run of {length} turns, answered, p95", early.p95_ms, "ms", 50)
            yield Figure(
                f"run of {length} turns, its turn {length * 9 // 10} against turn 1",
                late.median_ms / early.median_ms, "times", 1.1,
            )  # fmt: skip
            found = side_by_side(
                Target(visitors, first), Target(visitors, f"{first}?find=refused"), Effort(40, 15.0)
            )
            yield Figure(f"run of {length} turns, finding a word in it, p95", found[1].p95_ms, "ms", 500)


def shown(site: Site, ids: list[int]) -> Iterator[Figure]:
    """Measure when a browser that has seen nothing of the site can be used: the median of a few."""
    for length, run in zip(LENGTHS, ids, strict=True):
        seconds = [interactive_s(f"http://127.0.0.1:{site.port}/runs/{run}/") for _ in range(COLD_STARTS)]
        yield Figure(f"run of {length} turns, interactive in Chromium", statistics.median(seconds), "s", 1)


def interactive_s(address: str) -> float:
    with browser() as page:
        page.goto(address)
        page.wait_for_function(READY)
        return float(page.evaluate("performance.now()")) / 1000


@contextmanager
def browser() -> Iterator[Page]:
    """A page of a browser with nothing in its cache.

    Raises:
        SiteError: there is no Chromium.
    """
    path = shutil.which("chromium")
    if path is None:
        raise SiteError("chromium is not on the PATH")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield chromium.new_page()
        chromium.close()


if __name__ == "__main__":
    sys.exit(main())
