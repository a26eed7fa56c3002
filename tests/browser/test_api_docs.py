"""The page to try the API, in a browser under the site's policy."""

import pytest
from playwright.sync_api import Page, expect

from tests.factories import make_benchmark

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_request_is_sent_from_the_page_and_answered(page: Page):
    make_benchmark(slug="samples")
    page.goto("/api/docs/")
    page.get_by_text("The benchmarks", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").get_by_text('"samples"')).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_text_can_be_read_in_both_themes(page: Page, theme: str):
    page.emulate_media(color_scheme=theme)
    page.goto("/api/docs/")
    summary = page.get_by_text("One run, with its verdicts and its answer")
    expect(summary).to_be_visible()
    red = summary.evaluate("element => Number(getComputedStyle(element).color.match(/[0-9]+/)[0])")
    assert (red > 128) == (theme == "dark")
