"""How fast pages are on a large board, against a view that makes one query: `make bench ARGS=pages`.

Everything is real: the server, its middleware, a seeded database on disk. Each page is timed in turns with
the view of one query, by one visitor and then by four. `--data` names a folder that
`benchmarks.seed_scale` filled; without it one of a million turns is made and removed. With several, the
bounded pages of each are timed in turns with those of the first. Exit code 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.new_grade import grading
from benchmarks.serving import (
    ASK_QUERIES,
    CONTROL,
    QUERIES,
    Effort,
    Site,
    SiteError,
    Target,
    Timings,
    Visitor,
    serving,
    side_by_side,
)

VISITORS = (1, 4)
TURNS = 1_000_000
COLD_REQUESTS = 5
FRESH_STARTS = 3


@dataclass(frozen=True)
class Page:
    name: str
    path: str
    most_times: float | None = None  # the view of one query, at median and p95; None: only shown


BOARDS = (
    Page("board", "/", 1.5),
    Page("board, sorted and narrowed", "/?sort=cost&weights=yes", 1.5),
)
MATRIX = Page("matrix", "/benchmarks/scale/matrix/")
PAGES = (
    *BOARDS,
    MATRIX,
    Page("compare", "/compare/?models=model-001,model-002&benchmark=scale"),
    Page("model", "/models/model-001/"),
    Page("tasks", "/benchmarks/scale/tasks/"),
    Page("task", "/tasks/scale/scenario-1/"),
    Page("API: board", "/api/v1/benchmarks/scale/board/"),
    Page("API: runs", "/api/v1/runs/"),
)


# A word of every turn, a rarer one, words in a row, a beginning, and what one field has and another lacks.
SEARCHES = (
    "evidence", "alerts", '"the evidence so far"', "netw*", "zzz",
    "command:NetworkPolicy -answer:NetworkPolicy",
)  # fmt: skip
SEARCH_MS = 200.0


@dataclass(frozen=True)
class Weight:
    """What one request costs beside time. The page has been made before."""

    queries: int
    compressed: int  # bytes
    uncompressed: int  # bytes


@dataclass(frozen=True)
class Row:
    """One page by so many visitors at a time, and the view of one query timed in turns with it."""

    page: Page
    visitors: int
    timings: Timings
    control: Timings

    @property
    def times_median(self) -> float:
        return self.timings.median_ms / self.control.median_ms

    @property
    def times_p95(self) -> float:
        return self.timings.p95_ms / self.control.p95_ms

    @property
    def holds(self) -> bool:
        most = self.page.most_times
        return most is None or max(self.times_median, self.times_p95) <= most


@dataclass(frozen=True)
class Figure:
    what: str
    value: float
    unit: str
    most: float

    @property
    def holds(self) -> bool:
        return self.value <= self.most


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--data", type=Path, action="append", help="a seeded folder; may be repeated")
    parser.add_argument("--seconds", type=float, default=12.0, help="at most, for each page and visitors")
    wanted = parser.parse_args()
    effort = Effort(seconds=wanted.seconds)
    try:
        with folders(wanted.data) as data:
            held = [measured(folder, effort) for folder in data]
            held += [compared(data[0], other, effort) for other in data[1:]]
        held.append(matrix_held())
    except SiteError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0 if all(held) else 1


@contextmanager
def folders(named: list[Path] | None) -> Iterator[list[Path]]:
    if named:
        yield named
        return
    with seeded(models=100, turns=TURNS) as made:
        yield [made]


@contextmanager
def seeded(models: int, turns: int) -> Iterator[Path]:
    """A folder with a board of its own, removed afterwards."""
    seeding = [sys.executable, "-m", "benchmarks.seed_scale", "--models", str(models), "--turns", str(turns)]
    with tempfile.TemporaryDirectory(prefix="itbench-bench-") as made:
        subprocess.run([*seeding, "--data", made], check=True)
        yield Path(made)


# --- One folder -------------------------------------------------------------------------------------


def measured(data: Path, effort: Effort) -> bool:
    """Measure and print; tell whether every bound holds."""
    print(f"\n{data}: each page in turns with the view of one query\n", flush=True)
    fresh = [first_answer(data) for _ in range(FRESH_STARTS)]
    with serving(data) as site:
        held = pages_held(site, effort)
        figures = [
            Figure("first board of a fresh server process", statistics.median(fresh), "s", 1.0),
            Figure("first board after a new grade", first_after_grades(site, data, BOARDS[0]), "s", 1.0),
            *searched(site, effort),
        ]
    return print_figures(figures) and held


def first_answer(data: Path) -> float:
    """Return the seconds of the first board that a server makes."""
    with serving(data) as site, site.visitors(1) as visitors:
        return visitors[0].ask("/").seconds


def pages_held(site: Site, effort: Effort) -> bool:
    """Time each page that is there and print its row; tell whether every bound holds."""
    held = True
    print(TITLES)
    for page in PAGES:
        with site.visitors(max(VISITORS)) as visitors:
            status = visitors[0].ask(page.path).status
            if status != 200:
                print(f"{page.name:26} {'not there' if status == 404 else f'answers {status}'}", flush=True)
                held = held and status == 404
                continue
            weight = weighed(visitors[0], page.path)
            for number in VISITORS:
                row = timed(page, visitors[:number], effort)
                print(line(row, weight), flush=True)
                held = held and row.holds
    return held


def searched(site: Site, effort: Effort) -> Iterator[Figure]:
    """Time each search: the 95th percentile, of one visitor."""
    few = replace(effort, requests=60)
    with site.visitors(1) as visitors:
        for search in SEARCHES:
            address = f"/search/?{urlencode({'q': search})}"
            _, timings = side_by_side(Target(visitors, CONTROL), Target(visitors, address), few)
            yield Figure(f"search for {search}", timings.p95_ms, "ms", SEARCH_MS)


def weighed(visitor: Visitor, path: str) -> Weight:
    compressed = visitor.ask(path, **{ASK_QUERIES: "1"})
    plain = visitor.ask(path, **{"Accept-Encoding": "identity"})
    return Weight(int(compressed.headers[QUERIES.lower()]), len(compressed.body), len(plain.body))


def timed(page: Page, visitors: Sequence[Visitor], effort: Effort) -> Row:
    control, timings = side_by_side(Target(visitors, CONTROL), Target(visitors, page.path), effort)
    return Row(page, len(visitors), timings, control)


def first_after_grades(site: Site, data: Path, page: Page) -> float:
    """Return the seconds that the first visitor after a new grade waits: the median over a few grades."""
    with site.visitors(1) as (visitor,), grading(data) as store_grade:
        visitor.ask(page.path)
        seconds = []
        for _ in range(COLD_REQUESTS):
            store_grade()
            seconds.append(visitor.ask(page.path).seconds)
    return statistics.median(seconds)


def matrix_held() -> bool:
    """Measure the matrix of 13 models, made anew after each grade, and print it."""
    with seeded(models=13, turns=13 * 59 * 3 * 12) as data, serving(data) as site:
        milliseconds = 1000 * first_after_grades(site, data, MATRIX)
    return print_figures([Figure("matrix of 59 x 13 x 3 after a new grade", milliseconds, "ms", 100.0)])


# --- Two folders ------------------------------------------------------------------------------------


def compared(first: Path, second: Path, effort: Effort) -> bool:
    """Time the bounded pages of two folders in turns, and print; tell whether every bound holds."""
    print(f"\n{second} against {first}, in turns\n", flush=True)
    with serving(first) as one, serving(second) as other:
        figures = [figure for page in BOARDS for figure in differences(page, one, other, effort)]
    return print_figures(figures)


def differences(page: Page, one: Site, other: Site, effort: Effort) -> list[Figure]:
    with one.visitors(1) as here, other.visitors(1) as there:
        before, after = side_by_side(Target(here, page.path), Target(there, page.path), effort)
        queries = [weighed(visitors[0], page.path).queries for visitors in (here, there)]
    times = after.median_ms / before.median_ms
    return [
        Figure(f"{page.name}, {before.median_ms:.2f} to {after.median_ms:.2f} ms", times, "times", 1.1),
        Figure(f"{page.name}, more queries", queries[1] - queries[0], "", 0),
    ]


# --- Output -----------------------------------------------------------------------------------------

TITLES = f"""\
{"":26} {"visi-":>5} {"median":>8} {"p95":>8} {"times":>6} {"times":>5} {"one query":>13} {"queries":>7} \
{"KB":>6} {"KB":>6}
{"page":26} {"tors":>5} {"ms":>8} {"ms":>8} {"median":>6} {"p95":>5} {"median p95 ms":>13} {"":>7} \
{"gzip":>6} {"plain":>6}  bound"""


def line(row: Row, weight: Weight) -> str:
    control = f"{row.control.median_ms:.2f} {row.control.p95_ms:.2f}"
    return (
        f"{row.page.name:26} {row.visitors:5} {row.timings.median_ms:8.2f} {row.timings.p95_ms:8.2f}"
        f" {row.times_median:6.2f} {row.times_p95:5.2f} {control:>13} {weight.queries:7}"
        f" {weight.compressed / 1000:6.1f} {weight.uncompressed / 1000:6.1f}  {verdict(row)}"
    )


def verdict(row: Row) -> str:
    most = row.page.most_times
    return "" if most is None else f"<= {most:g} {'holds' if row.holds else 'MISSED'}"


def print_figures(figures: Sequence[Figure]) -> bool:
    print()
    for figure in figures:
        sign = "holds" if figure.holds else "MISSED"
        print(f"{figure.what:55} {figure.value:8.2f} {figure.unit:5} <= {figure.most:<5g} {sign}")
    return all(figure.holds for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
