"""Pictures of the demo for docs/images: `make screenshots` while `make demo` serves.

Every picture is the page as a visitor with a screen of 1440 x 900 sees it first.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Error, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.needs import browser_path  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1440, "height": 900}
PAGES = {
    "board": "/benchmarks/samples/",
    "published": "/benchmarks/itbench-aa/",
    "charts": "/benchmarks/samples/charts/?what_if=detective&price_input=1&price_output=4",
    "matrix": "/benchmarks/samples/matrix/",
    "compare": "/compare/?benchmark=samples&models=detective,loudest,exhaustive",
    "task": "/tasks/samples/scenario-1/",
    "model": "/models/detective/",
    "run": "/models/detective/",  # and from there to its first run
    "replay": "/models/exhaustive/",
    "pair": "/models/detective/",
    "search": "/search/?q=message%3Achaos*+-answer%3ASchedule",
}
DARK_TOO = ("board", "run", "replay")
OF_A_RUN = ("run", "replay", "pair")
REPLAYED_MS = 6000


def main() -> int:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    path = browser_path()
    if path is None:
        sys.stderr.write("There is no Chromium: install one (Debian: chromium).\n")
        return 2
    IMAGES.mkdir(exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            for theme in ("light", "dark"):
                page = browser.new_context(base_url=address, viewport=SIZE, color_scheme=theme).new_page()
                for name in PAGES if theme == "light" else DARK_TOO:
                    shoot(page, name, IMAGES / f"{name}-{theme}.png")
    except Error as problem:
        sys.stderr.write(
            f"No pictures of {address}: {problem.message.splitlines()[0]}. Does `make demo` serve there?\n"
        )
        return 1
    return 0


def shoot(page: Page, name: str, picture: Path) -> None:
    page.goto(PAGES[name], wait_until="networkidle")
    if name in OF_A_RUN:
        page.locator("a[href^='/runs/']").first.click()
        page.wait_for_load_state("networkidle")
    if name == "replay":
        page.goto(f"{page.url}?turn=20#turn-20", wait_until="networkidle")
        page.get_by_role("link", name="Replay", exact=True).click()
        page.wait_for_timeout(REPLAYED_MS)
    if name == "pair":
        page.get_by_role("link", name="Side by side").click()
        page.get_by_role("link", name="Exhaustive reader").first.click()
        page.wait_for_load_state("networkidle")
    page.screenshot(path=picture)
    sys.stdout.write(f"{picture.relative_to(ROOT)}\n")


if __name__ == "__main__":
    sys.exit(main())
