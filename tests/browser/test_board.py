"""The board by click and by keyboard: narrowed, searched, compared, saved as a picture."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROWS = "table.board tbody tr"


def test_a_facet_narrows_the_board_in_place_and_the_back_button_undoes_it(page, site):
    page.goto("/")
    expect(page.locator(ROWS)).to_have_count(3)
    page.evaluate("window.unbroken = true")
    page.get_by_text("Weights", exact=True).click()
    page.get_by_role("link", name=re.compile("^open")).click()
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?weights=yes$"))
    expect(page.locator("h1")).to_contain_text("2 more models are not shown")
    assert page.evaluate("window.unbroken"), "the page was loaded anew"
    expect(page.locator(".menu[open] summary")).to_have_text("Weights")
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    page.go_back()
    expect(page.locator(ROWS)).to_have_count(3)
    expect(page.locator(".chart .main-svg").first).to_be_visible()


def test_a_slash_and_some_letters_find_a_model(page, site):
    page.goto("/")
    expect(page.locator("[data-compare]")).to_be_disabled()  # the script is there
    page.keyboard.press("/")
    page.keyboard.type("dear")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page).to_have_url(re.compile("q=dear"))
    assert page.evaluate("document.activeElement.id") == "find"


def test_menus_are_opened_walked_and_left_by_keyboard(page, site):
    page.goto("/")
    expect(page.locator("[data-compare]")).to_be_disabled()
    page.locator(".menu summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".menu[open]")).to_have_count(1)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.menu') !== null")
    page.keyboard.press("Escape")
    expect(page.locator(".menu[open]")).to_have_count(0)
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_two_models_are_chosen_and_compared(page, site):
    page.goto("/")
    compare = page.locator("[data-compare]")
    expect(compare).to_be_disabled()
    for name in ("detective", "dear-model"):
        page.get_by_role("checkbox", name=f"Choose {name}").check()
    expect(compare).to_be_enabled()
    compare.click()
    page.wait_for_url(re.compile("/compare/"))
    expect(page.locator("h1")).to_contain_text("detective")


def test_only_the_chosen_columns_are_shown(page, site):
    page.goto("/")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Turns").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("thead").first).not_to_contain_text("Turns")
    expect(page.locator("thead").first).to_contain_text("Cost")


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_a_chart_is_saved_as_a_picture(page, site, kind):
    page.goto("/")
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name=kind).first.click()
    assert saved.value.suggested_filename == f"score-versus-cost.{kind.lower()}"
    first = {"PNG": b"\x89PNG", "SVG": b"<svg"}[kind]
    assert saved.value.path().read_bytes().startswith(first)


def test_the_link_is_copied(page, site):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/?sort=cost")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_charts_of_a_benchmark_are_all_drawn(page, site):
    page.goto("/benchmarks/samples/charts/")
    boxes = page.locator("[data-figure]")
    assert boxes.count() == 5
    for number in range(boxes.count()):
        expect(boxes.nth(number).locator(".main-svg").first).to_be_visible()


def test_what_is_printed_leaves_out_what_only_a_screen_can_do(page, site):
    page.emulate_media(media="print")
    page.goto("/")
    expect(page.locator(".choices")).to_be_hidden()
    expect(page.locator("td.pick").first).to_be_hidden()
    expect(page.locator("table.board")).to_be_visible()
