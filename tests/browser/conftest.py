"""A real Chromium on a live server. Every test ends by saying that nothing went wrong unseen."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright

from tests import needs

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
