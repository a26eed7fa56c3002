"""A real Chromium on a live server. Every test ends by saying that nothing went wrong unseen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright

from evals.models import Evaluation, PublishedResult, Run
from tests import needs
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

LONG = "".join(f"17:34:{second:02d} otel-demo a-very-long-name-{second}\n" for second in range(60))
POLICY = "leaderboard.middleware.ContentSecurityPolicy"
PLAIN_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = needs.browser_path()
    if path is None:
        pytest.skip("no chromium")
    # Playwright keeps an event loop in this thread, and Django then refuses its database without this.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser, live_server) -> Iterator[Page]:
    """A page that fails its test on a console error, a script error or a request to another host."""
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(f"console: {line.text}") if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on(
        "request", lambda request: wrong.append(f"request: {request.url}") if leaves(request.url) else None
    )
    yield page
    context.close()
    assert wrong == []


def leaves(url: str) -> bool:
    return not url.startswith(("http://localhost:", "http://127.0.0.1:", "data:", "blob:"))


def with_policy(middleware: list[str]) -> list[str]:
    """These tests are about what a browser says to the policy: it stands first, and once."""
    return [POLICY, *(name for name in middleware if name != POLICY)]


@pytest.fixture(scope="session", autouse=True)
def collected_files() -> Iterator[None]:
    """The static files where the live server looks for them, under their plain names."""
    storages = {**settings.STORAGES, "staticfiles": {"BACKEND": PLAIN_STORAGE}}
    with override_settings(STORAGES=storages, MIDDLEWARE=with_policy(settings.MIDDLEWARE)):
        call_command("collectstatic", "--no-input", "--link", verbosity=0)
        yield


@dataclass(frozen=True)
class Site:
    run: Run
    evaluation: Evaluation

    @property
    def beside(self) -> Run:
        """A run of the same task by another model."""
        return Run.objects.filter(task=self.run.task).exclude(evaluation=self.evaluation).first()

    @property
    def addresses(self) -> list[str]:
        benchmark = self.evaluation.benchmark
        return [
            "/",
            "/?results=a-journal-2026-05-27",
            f"/benchmarks/{benchmark.slug}/tasks/",
            f"/benchmarks/{benchmark.slug}/charts/?what_if=dear-model&price_input=1&price_output=2",
            f"/benchmarks/{benchmark.slug}/matrix/",
            f"/compare/?benchmark={benchmark.slug}&models=detective,dear-model,careful-model",
            f"/compare/?benchmark={benchmark.slug}",
            self.run.task.get_absolute_url(),
            "/models/",
            self.evaluation.language_model.get_absolute_url(),
            "/evaluations/",
            self.evaluation.get_absolute_url(),
            f"{self.run.get_absolute_url()}?turn=25",
            f"{self.run.get_absolute_url()}?find=otel-demo",
            f"/runs/{self.run.pk}/vs/",
            f"/runs/{self.run.pk}/vs/{self.beside.pk}/",
            "/search/",
            "/search/?q=output:otel-demo",
            "/search/?q=nothing-like-this",
            "/methodology/",
        ]


@pytest.fixture
def site() -> Site:
    benchmark = make_benchmark(slug="samples", name="Sample incidents", synthetic=True)
    alert = {"name": "HighRequestErrorRate", "service": "frontend", "severity": "critical", "count": 9,
             "first_seen": "2025-12-15T17:34:00Z", "last_seen": "2025-12-15T17:59:00Z"}  # fmt: skip
    tasks = [
        make_task(benchmark, fault_category=category, alert_summary=[alert])
        for category in ("Network", "Change") * 3
    ]
    evaluations = []
    for name, cost in (("detective", 0.0), ("careful-model", 0.4), ("dear-model", 4.0)):
        model = make_model(
            slug=name,
            name=name,
            open_weights=cost == 0,
            released=f"2026-0{len(evaluations) + 1}-01",
            price_input=cost,
            price_output=cost,
        )
        evaluation = make_evaluation(benchmark=benchmark, language_model=model)
        for number, task in enumerate(tasks):
            score = (1, 0.5, 0, None)[(number + len(evaluations)) % 4]
            make_run(evaluation, task, score, cost_usd=cost, turns_total=10 + number)
        evaluations.append(evaluation)
    run = evaluations[0].runs.first()
    for number in range(1, 31):
        make_turn(run, number, output=LONG, reasoning="First the alerts.", input_tokens=100 * number)
    PublishedResult.objects.create(
        benchmark=benchmark, language_model=make_model(), score=0.4, as_of="2026-05-27",
        source_name="A journal", source_url="https://journal.example/",
    )  # fmt: skip
    return Site(run, evaluations[0])
