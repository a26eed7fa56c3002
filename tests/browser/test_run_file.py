"""The page of one run as a file asks for nothing and does nothing, from the site and from a disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from evals.models import Run
from leaderboard.run_files import RUN_FILES
from tests.factories import make_run, make_turn
from tests.leaderboard.test_run_exports import hostile_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TERMINAL = "getComputedStyle(document.querySelector('.terminal')).backgroundColor"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The addresses that were asked for; a dialogue, which only a script opens, fails the test."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a dialogue: {dialog.message}"))
    return asked


def test_from_the_site_it_asks_for_itself_alone_and_has_its_style(page, live_server, asked):
    run = hostile_run()
    page.goto(f"/runs/{run.pk}/run.html", wait_until="networkidle")
    assert asked == [f"{live_server.url}/runs/{run.pk}/run.html"]
    assert page.evaluate(TERMINAL) == "rgb(17, 22, 29)"
    assert page.locator("script, img, iframe, object, link").count() == 0
    expect(page.locator("#turn-1 .said").last).to_contain_text("<script>alert(1)</script>")


def test_from_a_disk_and_without_a_network_it_is_the_same_page(chromium, tmp_path):
    run = hostile_run()
    file = tmp_path / "run.html"
    file.write_bytes(b"".join(RUN_FILES["html"].pieces(Run.objects.get(pk=run.pk))))
    with chromium.new_context(offline=True) as context:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text))
        page.goto(file.as_uri(), wait_until="networkidle")
        assert page.evaluate(TERMINAL) == "rgb(17, 22, 29)"
        page.locator("#turn-2 .long > summary").click()
        assert page.locator("#turn-2 .long[open] > pre").inner_text().count("<script>alert(1)</script>") == 40
        assert said == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_telephone(page, theme):
    run = make_run(score=0.5)
    run.grades.update(verdicts=[{"name": "a/Pod/b", "verdict": "false_positive", "reason": "no"}])
    make_turn(run, 1, reasoning="Hm.", output="\x1b[31mred\x1b[0m " + "x" * 3000)
    make_turn(run, 2, message="y" * 300, command="z" * 300)
    page.emulate_media(color_scheme=theme)
    for width in (375, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"/runs/{run.pk}/run.html")
        assert page.evaluate(SIDEWAYS) == 0
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then((results) => results.violations)")
    assert [(rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in found] == []


def test_on_paper_everything_is_open(page):
    run = make_run()
    make_turn(run, 1, reasoning="Hm.", output="".join(f"row-{n}\n" for n in range(50)))
    page.emulate_media(media="print")
    page.goto(f"/runs/{run.pk}/run.html")
    expect(page.get_by_text("Hm.", exact=True)).to_be_visible()
    expect(page.locator(".long > pre")).to_be_visible()
    expect(page.locator(".long > summary")).to_be_hidden()
