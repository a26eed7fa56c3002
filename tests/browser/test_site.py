"""The site in a browser: charts, sorting, theme, replay, widths, and what axe finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from evals.models import Evaluation, EvaluationState, PublishedResult, Run, RunState
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NODE_MODULES = Path(__file__).resolve().parents[2] / "node_modules"
LONG = "".join(f"17:34:{second:02d} otel-demo a-very-long-name-{second}\n" for second in range(60))
BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"


@dataclass(frozen=True)
class Site:
    run: Run
    evaluation: Evaluation

    @property
    def addresses(self) -> list[str]:
        benchmark = self.evaluation.benchmark
        return [
            "/",
            "/?results=a-journal-2026-05-27",
            f"/benchmarks/{benchmark.slug}/tasks/",
            self.run.task.get_absolute_url(),
            "/models/",
            self.evaluation.language_model.get_absolute_url(),
            "/evaluations/",
            self.evaluation.get_absolute_url(),
            f"{self.run.get_absolute_url()}?turn=25",
            "/methodology/",
        ]


@pytest.fixture
def site() -> Site:
    benchmark = make_benchmark(slug="samples", name="Sample incidents", synthetic=True)
    alert = {"name": "HighRequestErrorRate", "service": "frontend", "severity": "critical", "count": 9,
             "first_seen": "2025-12-15T17:34:00Z", "last_seen": "2025-12-15T17:59:00Z"}  # fmt: skip
    tasks = [make_task(benchmark, fault_category="network policy", alert_summary=[alert]) for _ in range(6)]
    evaluations = []
    for name, cost in (("detective", 0.0), ("careful-model", 0.4), ("dear-model", 4.0)):
        model = make_model(slug=name, name=name, open_weights=cost == 0)
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


def sideways(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_the_charts_are_drawn_and_a_mark_leads_to_its_model(page, site):
    page.goto("/")
    expect(page.locator(".chart .main-svg .scatterlayer").first).to_be_visible()
    assert page.locator(".chart .scatterlayer .points path").count() == 6
    mark = page.locator(".chart").first.locator(".points path").first.bounding_box()
    page.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    page.wait_for_url(re.compile("/models/"))


def test_nothing_moves_while_the_charts_load(page, site):
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => "
        "{ window.moved += entry.value })).observe({type: 'layout-shift', buffered: true})"
    )
    page.goto("/")
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    assert page.evaluate("window.moved") < 0.05


def test_a_click_on_a_header_sorts_and_the_back_button_undoes_it(page, site):
    page.goto("/")
    page.get_by_role("link", name="Cost").click()
    expect(page).to_have_url(re.compile(r"\?sort=cost$"))
    costs = page.locator("tbody tr td:nth-of-type(4)").all_inner_texts()
    page.get_by_role("link", name="Cost").click()
    expect(page).to_have_url(re.compile(r"\?sort=-cost$"))
    assert page.locator("tbody tr td:nth-of-type(4)").all_inner_texts() == costs[::-1]
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?sort=cost$"))


def test_the_theme_is_switched_remembered_and_taken_up_by_the_charts(page, site):
    page.goto("/")
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    background, ink = page.evaluate(BACKGROUND), tick_ink(page)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(BACKGROUND) != background
    assert tick_ink(page) != ink
    page.reload()
    assert page.evaluate(BACKGROUND) != background


def tick_ink(page: Page) -> str:
    page.wait_for_timeout(100)
    return page.locator(".chart .xtick text").first.evaluate("(text) => getComputedStyle(text).fill")


def test_the_replay_plays(page, site):
    page.goto(site.run.get_absolute_url())
    page.get_by_role("link", name="Replay the shell session").click()
    expect(page.locator(".player .ap-player")).to_be_visible()
    expect(page.locator(".player .ap-term")).to_contain_text("Looking.", timeout=20_000)


def test_a_long_output_opens_in_place(page, site):
    page.goto(site.run.get_absolute_url())
    first = page.locator("#turn-1")
    expect(first).not_to_contain_text("a-very-long-name-59")
    first.get_by_role("link", name="Show all 60 lines").click()
    expect(first).to_contain_text("a-very-long-name-59")
    expect(first.get_by_role("link", name="Show all 60 lines")).to_have_count(0)


def test_a_link_to_a_turn_of_another_window_opens_it(page, site):
    page.goto(f"{site.run.get_absolute_url()}#turn-27")
    expect(page).to_have_url(re.compile(r"\?turn=27#turn-27$"))
    expect(page.locator("#turn-27")).to_be_in_viewport()


def test_keys_go_from_turn_to_turn(page, site):
    page.goto(site.run.get_absolute_url())
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile("#turn-2$"))
    page.keyboard.press("k")
    expect(page).to_have_url(re.compile("#turn-1$"))


def test_an_evaluation_fills_while_it_runs_and_then_rests(page, site):
    Evaluation.objects.filter(pk=site.evaluation.pk).update(state=EvaluationState.RUNNING, ended_at=None)
    Run.objects.filter(pk=site.run.pk).update(state=RunState.QUEUED)
    page.goto(site.evaluation.get_absolute_url())
    expect(page.locator("#progress")).to_contain_text("5 of 6 runs done")
    Run.objects.filter(pk=site.run.pk).update(state=RunState.ENDED)
    Evaluation.objects.filter(pk=site.evaluation.pk).update(
        state=EvaluationState.ENDED, ended_at=site.run.ended_at
    )
    expect(page.locator("#progress")).to_contain_text("6 of 6 runs done", timeout=10_000)
    assert page.locator("[hx-trigger]").count() == 0


@pytest.mark.parametrize("width", [375, 1600])
def test_no_page_scrolls_sideways(page, site, width):
    page.set_viewport_size({"width": width, "height": 800})
    for address in site.addresses:
        page.goto(address)
        assert sideways(page) == 0, address


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page, site, theme):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    for address in site.addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        # Evaluated, not added as a script: the site's policy forbids that, as it should.
        page.evaluate((NODE_MODULES / "axe-core" / "axe.min.js").read_text())
        found = page.evaluate("axe.run().then((results) => results.violations)")
        assert [(rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in found] == [], address


def test_pages_work_without_scripts(chromium, live_server, site):
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/?sort=-turns")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.goto(f"{site.run.get_absolute_url()}?turn=21")
    page.locator("#turn-21").get_by_role("link", name="Show all 60 lines").click()
    expect(page.locator("body")).to_contain_text("a-very-long-name-59")
    context.close()
