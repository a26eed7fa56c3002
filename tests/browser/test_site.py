"""The site in a browser: charts, sorting, theme, replay, widths, and what axe finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from evals.models import Evaluation, EvaluationState, Run, RunState

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NODE_MODULES = Path(__file__).resolve().parents[2] / "node_modules"
BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"


def sideways(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_the_charts_are_drawn_and_a_mark_leads_to_its_model(page, site):
    page.goto("/")
    expect(page.locator(".chart .main-svg .scatterlayer").first).to_be_visible()
    assert page.locator(".chart .scatterlayer .points path").count() == 6
    mark = page.locator(".chart").first.locator(".points path").first.bounding_box()
    page.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    page.wait_for_url(re.compile("/models/"))


@pytest.mark.parametrize(
    ("address", "drawn"), [("/", ".chart .main-svg"), ("/?results=a-journal-2026-05-27", "tbody tr")]
)
def test_nothing_moves_while_the_page_comes(page, site, address, drawn):
    # A slow line and a slow machine: what comes late would move what is there.
    devtools = page.context.new_cdp_session(page)
    line = {"offline": False, "latency": 40, "downloadThroughput": 400_000, "uploadThroughput": 100_000}
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", line)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => "
        "{ window.moved += entry.value })).observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(address)
    expect(page.locator(drawn).first).to_be_visible(timeout=20_000)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.moved") == 0


def test_a_click_on_a_header_sorts_and_the_back_button_undoes_it(page, site):
    page.goto("/")
    page.get_by_role("link", name="Cost", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?sort=cost$"))
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Cost")
    costs = page.locator("tbody tr td:nth-of-type(5)").all_inner_texts()
    page.get_by_role("link", name="Cost", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?sort=-cost$"))
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Cost")
    assert page.locator("tbody tr td:nth-of-type(5)").all_inner_texts() == costs[::-1]
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
    page.get_by_role("link", name="Replay", exact=True).click()
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
