"""The page of a run in a browser: strip, keys, finding, folding, toggles, replay, a run in hand."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from evals.models import Run, RunState, ToolCall
from tests.factories import make_grade, make_run, make_turn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IN_VIEW = (
    "(turn) => { const box = turn.getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight }"
)


@pytest.fixture
def run():
    """Forty turns; turn 33 alone looks at the policy, in a long output and a folded thought."""
    run = make_run()
    for number in range(1, 41):
        told = {"command": f"cat file-{number}", "output": f"lines of {number}\n", "reasoning": "I think."}
        make_turn(run, number, **told, input_tokens=100 * number, model_s=3.0)
    call = ToolCall.objects.get(turn__run=run, turn__number=33)
    long = "".join(f"row {n}\n" for n in range(50)) + "NetworkPolicy deny-all\n"
    ToolCall.objects.filter(pk=call.pk).update(output=call.output.replace("lines of 33\n", long))
    run.turns.filter(number=33).update(reasoning="The networkpolicy it is.")
    return run


def turns(page: Page) -> list[str]:
    return page.locator("#turn-list > li").evaluate_all("(turns) => turns.map((turn) => turn.id)")


def at(page: Page, number: int) -> None:
    """Expect that this turn is the current one, in view and in the address."""
    expect(page.locator(f"#turn-{number}.current")).to_be_visible()
    expect(page).to_have_url(re.compile(f"#turn-{number}$"))
    assert page.locator(f"#turn-{number}").evaluate(IN_VIEW)
    expect(page.locator(f"#strip a:nth-of-type({number})")).to_have_attribute("aria-current", "true")


def test_a_mark_of_the_strip_leads_to_its_turn_in_whatever_window_it_is(page, run):
    page.goto(run.get_absolute_url())
    assert len(turns(page)) == 20
    page.locator("#strip a").nth(11).click()
    at(page, 12)
    page.evaluate("window.stayed = true")
    page.locator("#strip a").nth(36).click()
    at(page, 37)
    assert turns(page)[0] == "turn-21"
    assert page.evaluate("window.stayed"), "the page was loaded anew"
    page.go_back()
    at(page, 12)


def test_a_link_to_a_turn_is_all_a_colleague_needs(page, run):
    page.goto(f"{run.get_absolute_url()}#turn-37")
    at(page, 37)
    page.goto(f"{run.get_absolute_url()}?turn=3#turn-3")
    at(page, 3)


def test_j_and_k_go_from_turn_to_turn_across_windows(page, run):
    page.goto(f"{run.get_absolute_url()}?turn=20#turn-20")
    at(page, 20)
    page.keyboard.press("j")
    at(page, 21)
    page.keyboard.press("k")
    at(page, 20)
    page.keyboard.press("k")
    at(page, 19)


def test_brackets_go_from_repeat_to_repeat(page, run):
    second = make_run(run.evaluation, run.task)
    make_turn(second, 1)
    page.goto(run.get_absolute_url())
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile(f"/runs/{second.pk}/$"))
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile(f"/runs/{run.pk}/$"))


def test_what_is_found_is_listed_and_opened_where_it_is_folded(page, run):
    page.goto(run.get_absolute_url())
    page.keyboard.press("/")
    page.keyboard.type("networkpolicy")
    page.keyboard.press("Enter")
    expect(page.locator("#hits")).to_contain_text("stands in 2 texts of 1 turn")
    assert page.locator("#strip path.flag.hit").count() == 1
    page.keyboard.press("n")
    at(page, 33)
    expect(page.locator("#turn-33 .thought .said")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("#turn-33 .printed")).to_contain_text("NetworkPolicy deny-all")
    assert page.evaluate("CSS.highlights.get('found').size") == 2
    page.get_by_role("link", name="End the search").click()
    expect(page.locator("#hits")).not_to_contain_text("stands in")


def test_a_text_that_was_opened_can_be_folded_again(page, run):
    page.goto(f"{run.get_absolute_url()}?turn=33#turn-33")
    turn = page.locator("#turn-33")
    turn.get_by_role("link", name="Show all 51 lines").click()
    expect(turn).to_contain_text("row 49")
    turn.get_by_role("button", name="Fold").click()
    expect(turn).not_to_contain_text("row 49")
    expect(turn.get_by_role("link", name="Show all 51 lines")).to_be_visible()
    page.keyboard.press("o")
    expect(turn).to_contain_text("row 49")
    expect(turn.locator(".thought .said")).to_be_visible()


def test_toggles_hide_kinds_of_text_and_the_address_says_so(page, run):
    page.goto(run.get_absolute_url())
    expect(page.locator("#turn-1 .thought")).to_be_visible()
    page.get_by_role("switch", name="Reasoning").click()
    expect(page.locator("#turn-1 .thought")).to_be_hidden()
    page.get_by_role("switch", name="Outputs").click()
    expect(page.locator("#turn-1 .printed")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?hide=reasoning&hide=outputs$"))
    page.locator("#strip a").nth(36).click()
    at(page, 37)
    expect(page.locator("#turn-37 .thought")).to_be_hidden()
    page.get_by_role("switch", name="Reasoning").click()
    expect(page.locator("#turn-37 .thought")).to_be_visible()
    page.reload()
    expect(page.locator("#turn-37 .printed")).to_be_hidden()


def test_the_keys_are_listed_by_a_key(page, run):
    page.goto(run.get_absolute_url())
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_a_command_is_copied_whole(page, run):
    long = "\n".join(f"echo {n}" for n in range(60))
    ToolCall.objects.filter(turn__run=run, turn__number=2).update(command=long)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(run.get_absolute_url())
    for number, command in ((1, "cat file-1"), (2, long)):
        page.locator(f"#turn-{number} .typing").hover()
        page.locator(f"#turn-{number} [data-copy-command]").click()
        expect(page.locator(f"#turn-{number} [data-copy-command]")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == command


def test_the_replay_follows_the_list_and_the_list_the_replay(page, run):
    page.goto(f"{run.get_absolute_url()}?turn=5#turn-5")
    page.keyboard.press("p")
    terminal = page.locator(".replay .ap-term")
    expect(terminal).to_be_visible(timeout=20_000)
    expect(page.locator("[data-playing]")).to_have_text("5")
    expect(terminal).to_contain_text("cat file-5", timeout=20_000)
    # To a turn of another window, and the terminal shows what led there.
    page.locator("#strip a").nth(35).click()
    at(page, 36)
    expect(terminal).to_contain_text("lines of 35")
    expect(terminal).not_to_contain_text("lines of 39")
    # Seeking in the player, by its own key, brings the list along.
    terminal.click()
    page.keyboard.press("0")
    at(page, 1)
    assert turns(page)[0] == "turn-1"
    page.get_by_label("Speed").select_option("8")
    expect(page.locator("#turn-2.current")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".replay")).to_be_hidden()


def test_a_run_that_is_being_played_is_followed_to_its_end(page, run):
    run.grades.all().delete()
    Run.objects.update(state=RunState.RUNNING, claimed_by="w", heartbeat=timezone.now(), ended_at=None)
    run.turns.filter(number__gt=2).delete()
    ToolCall.objects.filter(turn__run=run, turn__number=2).update(output=None, exit_code=None)
    page.goto(run.get_absolute_url())
    expect(page.locator("#turn-2")).to_contain_text("still running")
    page.locator("#turn-1 .thought summary").click()
    ToolCall.objects.filter(turn__run=run, turn__number=2).update(output="came late", exit_code=0)
    make_turn(run, 3, output="and more")
    expect(page.locator("#turn-3")).to_contain_text("and more", timeout=15_000)
    expect(page.locator("#turn-2")).to_contain_text("came late")
    expect(page.locator("#turn-1 .thought .said")).to_be_visible()
    assert page.locator("#strip a").count() == 3
    page.keyboard.press("k")
    Run.objects.update(state=RunState.ENDED, stop_reason="submitted", ended_at=timezone.now(), claimed_by="")
    make_grade(run, 1.0)
    expect(page.locator("#live")).to_contain_text("The run has come to its end.", timeout=20_000)
    expect(page.locator("#run-state")).to_contain_text("Exact: it found the root cause")
    assert page.locator("[hx-trigger]").count() == 0


HOSTILE = (
    "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 2'>"
    "\x1b]8;;javascript:window.hurt=3\x07click\x1b]8;;\x07\x1b[31mred\x1b[0m\x1b[2J\u202egnp.exe\x07"
)


def test_hostile_text_shows_and_does_nothing(page, run):
    run.turns.filter(number=1).update(message=HOSTILE, reasoning=HOSTILE)
    ToolCall.objects.filter(turn__run=run, turn__number=1).update(
        command=HOSTILE, output=HOSTILE + "x" * 5_000_000
    )
    page.goto(f"{run.get_absolute_url()}?find=%3Cscript%3E")
    turn = page.locator("#turn-1")
    turn.locator(".thought summary").click()
    turn.locator("[data-open-output]").click()
    expect(turn.locator(".printed")).to_contain_text("All of it as plain text")
    expect(turn.locator(".message")).to_contain_text("<script>window.hurt = 1</script>")
    expect(turn.locator(".message")).to_contain_text("<U+202E>gnp.exe␇")
    expect(turn.locator(".message .f1")).to_have_text("red")
    assert turn.locator(".message a").count() == 0
    page.keyboard.press("p")
    expect(page.locator(".replay .ap-term")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(1000)
    assert page.evaluate("window.hurt") is None
