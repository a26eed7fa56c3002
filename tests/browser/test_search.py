"""Search, two runs side by side, and tagging, in a browser."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from evals.models import Remark

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_search_leads_to_the_very_turn(page, site):
    page.goto("/")
    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_role("searchbox").fill('command:ls output:"a very long name 1"')
    page.keyboard.press("Enter")
    expect(page.locator(".found > li")).to_have_count(1)
    page.locator(".places a").nth(1).click()
    expect(page).to_have_url(re.compile(rf"/runs/{site.run.pk}/\?turn=\d+&find=.*#turn-\d+$"))
    expect(page.locator("#turn-list .current")).to_be_visible()


def test_facets_narrow_and_the_back_button_widens(page, site):
    page.goto("/search/?outcome=exact")
    before = page.locator(".found > li").count()
    page.locator(".choices summary", has_text="Model").click()
    page.locator(".menu[open] a", has_text="dear-model").click()
    expect(page).to_have_url(re.compile("model=dear-model"))
    assert 0 < page.locator(".found > li").count() < before
    page.go_back()
    expect(page.locator(".found > li")).to_have_count(before)


def test_slash_goes_to_the_field(page, site):
    page.goto("/search/?q=nothing-like-this")
    expect(page.get_by_text("No run has all of this")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_two_runs_are_put_side_by_side_from_the_page_of_one(page, site):
    page.goto(site.run.get_absolute_url())
    page.get_by_role("link", name="Side by side").click()
    page.locator(f'a[href="/runs/{site.run.pk}/vs/{site.beside.pk}/"]').click()
    expect(page.locator("h1")).to_contain_text("detective and")
    page.locator(".strips nav").first.locator("a").nth(24).click()
    expect(page).to_have_url(re.compile(rf"/runs/{site.run.pk}/\?turn=25#turn-25$"))
    expect(page.locator("#turn-25.current")).to_be_visible()


@pytest.fixture
def staff(page: Page, live_server) -> Page:
    User.objects.create_user("reader", password="a-long-password-1", is_staff=True, is_superuser=True)
    page.goto("/admin/login/?next=/")
    page.fill("#id_username", "reader")
    page.fill("#id_password", "a-long-password-1")
    page.click("[type=submit]")
    return page


def test_a_turn_is_tagged_and_the_tag_taken_off(staff, site):
    staff.goto(site.run.get_absolute_url())
    staff.locator("#turn-3 [data-remark]").click()
    expect(staff.locator("#remark-form [name=turn]")).to_have_value("3")
    staff.select_option("#remark-form [name=tag]", "mast-2.5")
    staff.fill("#remark-form [name=comment]", "It was there.")
    staff.get_by_role("button", name="Add").click()
    expect(staff.locator("#turn-3 .remark")).to_contain_text("2.5 ignores evidence")
    expect(staff.locator("#turn-3.current")).to_be_visible()
    assert staff.locator("#strip path.flag.remarked").count() == 1
    staff.locator("#turn-3").get_by_role("button", name="Remove 2.5 ignores evidence").click()
    expect(staff.locator("#turn-3 .remark")).to_have_count(0)
    assert Remark.objects.count() == 0


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_histogram_is_saved_as_a_picture(page, site, kind):
    page.goto(site.evaluation.language_model.get_absolute_url())
    with page.expect_download() as saved:
        page.locator("figure.histogram").first.get_by_role("button", name=kind.upper()).click()
    content = saved.value.path().read_bytes()
    assert saved.value.suggested_filename.endswith(f".{kind}")
    if kind == "png":
        assert content.startswith(b"\x89PNG")
        assert len(content) > 3000
    else:
        assert b"turns" in content
        assert b"rgb(" in content
        assert content.startswith(b"<svg")
