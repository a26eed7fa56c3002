"""Tests that need Docker, a browser, PostgreSQL or another thing of the machine: skipped in sight, or failed.

Without the thing a test is skipped and named at the end. With the thing's name in ITBENCH_REQUIRE
that skip is a failure, so that a machine which must have it can't pass by lacking it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Generator
from typing import Any

import pytest
from django.core.cache import caches

from tests import needs

SKIPS = pytest.StashKey[dict[str, list[str]]]()  # what was wanted, or the reason -> names of tests


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="run the tests that use the database")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SKIPS] = defaultdict(list)
    try:
        needs.required()
    except needs.UnknownNeed as problem:
        raise pytest.UsageError(str(problem)) from problem


@pytest.fixture(autouse=True)
def no_kept_pages() -> None:
    """Every test starts its database anew, and the counts that kept pages stand under begin again."""
    caches["pages"].clear()
    if strips := sys.modules.get("leaderboard.strips"):
        strips.kept_strips.clear()
    if searching := sys.modules.get("leaderboard.searching"):
        searching.known_facts.clear()


def uses_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or "db" in fixtures


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # They take longest, each in one piece: begun last, one process would wait for them alone.
    items.sort(key=lambda item: item.get_closest_marker("postgres") is None)
    if config.getoption("--database-only"):
        config.hook.pytest_deselected(items=[item for item in items if not uses_database(item)])
        items[:] = filter(uses_database, items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need in needs.NEEDS:
        if item.get_closest_marker(need) and (why := needs.missing(need)):
            pytest.skip(f"no {need}: {why}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped:
        markers = [marker.name for marker in item.iter_markers()]
        judge_skip(report, markers, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped:
        judge_skip(report, [], collector.config)
    return report


def judge_skip(
    report: pytest.TestReport | pytest.CollectReport, markers: list[str], config: pytest.Config
) -> None:
    """Keep the skip for the closing list; make it a failure when what it wanted is required."""
    reason = skip_reason(report)
    need = needs.need_of_skip(reason, markers)
    config.stash[SKIPS][need or reason].append(report.nodeid)
    if need in needs.required():
        report.outcome = "failed"
        report.longrepr = f"{needs.REQUIRE} names {need}, but this was skipped: {reason}"


def skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)  # of an expected failure


def pytest_sessionfinish(session: pytest.Session) -> None:
    # Set where this is one of several processes that share the tests.
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["skips"] = dict(session.config.stash[SKIPS])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the skips of a process that has run its share of the tests."""
    skips = node.config.stash[SKIPS]
    for wanted, names in getattr(node, "workeroutput", {}).get("skips", {}).items():
        # All processes collect all files: a file skipped as a whole is skipped in each.
        skips[wanted] += [name for name in names if name not in skips[wanted]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for wanted, names in sorted(config.stash[SKIPS].items()):
        count = f"{len(names)} test{'s' if len(names) > 1 else ''}"
        terminalreporter.section(f"Skipped for want of: {wanted} ({count})")
        if wanted in needs.NEEDS and (why := needs.missing(wanted)):
            terminalreporter.line(f"{wanted}: {why}")
        for name in names:
            terminalreporter.line(f"  {name}")
