"""A run: its verdict first, its turns a window at a time, and text from outside that stays text."""

import gzip
import random
import string

import pytest

from evals.models import Run, RunState, ToolCall
from tests.factories import make_benchmark, make_evaluation, make_grade, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db

HOSTILE = (
    "<script>alert(1)</script></pre><img src=x onerror=alert(2)>\x1b[31mred\x1b[0m"
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\x08\x9b\u202egnp.exe & &amp;"
)


def page(client, run, query=""):
    response = client.get(run.get_absolute_url() + query)
    assert response.status_code == 200
    return response.content.decode()


def verdict(name, kind, reason):
    return {"name": name, "group_id": None, "verdict": kind, "reason": reason}


def test_the_verdict_of_each_entity_stands_with_its_reason_and_what_was_missed(client):
    run = make_run(score=0)
    run.grades.update(
        verdicts=[verdict("otel-demo/Service/ad", "false_positive", "downstream: ad-service")],
        missed=[{"ids": ["flag"], "root_ids": ["flag"], "description": "otel-demo/ConfigMap/flagd-config"}],
    )
    html = page(client, run)
    assert "Missed: it did not find the root cause." in html
    assert "otel-demo/Service/ad" in html
    assert "downstream: ad-service" in html
    assert "otel-demo/ConfigMap/flagd-config" in html


@pytest.mark.parametrize(
    ("score", "fields", "sentence"),
    [
        (1, {"true_positives": 1}, "Exact: it found the root cause and blamed nothing else."),
        (1, {"true_positives": 2}, "Exact: it found all 2 root causes and blamed nothing else."),
        (
            0.5,
            {"false_positives": 1},
            "Over-reported: it found the root cause, but also blamed a bystander.",
        ),
        (0, {"true_positives": 1, "false_negatives": 1}, "Missed: it found 1 of 2 root causes."),
        (0, {"outcome": "no_answer"}, "No answer: its answer could not be read."),
    ],
)
def test_the_outcome_is_one_sentence(client, score, fields, sentence):
    run = make_run(score=score)
    run.grades.update(**fields)
    assert sentence in page(client, run)


def test_an_errored_run_says_that_the_site_failed(client):
    html = page(client, make_run(score=None, error="SandboxError: gone"))
    assert "Errored: this site failed, not the agent." in html
    assert "SandboxError: gone" in html


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.CANCELLED])
def test_a_run_without_turns_says_why(client, state):
    assert "No turns yet" in page(client, make_run(score=None, state=state, error=""))


def test_the_newest_version_of_the_grade_is_shown(client):
    run = make_run(score=1)
    make_grade(run, 0.5, grader_version=2)
    assert ">0.50</span>" in page(client, run)


def test_a_run_ungraded_says_so(client):
    run = make_run()
    run.grades.all().delete()
    assert "Ended, and not graded yet." in page(client, run)


def test_the_strip_has_a_mark_for_every_turn_by_kind(client):
    run = make_run()
    for number in (1, 2, 3, 4):
        make_turn(run, number, input_tokens=10 * number, output_tokens=1)
    ToolCall.objects.filter(turn__number=2).update(exit_code=1)
    ToolCall.objects.filter(turn__number=3).delete()
    ToolCall.objects.filter(turn__number=4).update(tool="finish", command="", exit_code=None)
    html = page(client, run)
    for kind, words in {
        "tool": "1 command<", "error": "1 failed command<", "think": "1 words only<", "answer": "1 answer<",
    }.items():  # fmt: skip
        assert words in html
        assert f'<path class="bars b-{kind}"' in html
    assert '<a href="#turn-4"><title>Turn 4: answer, 41 tokens</title>' in html


def test_a_link_to_a_turn_opens_the_window_that_holds_it(client):
    run = make_run()
    for number in range(1, 46):
        make_turn(run, number)
    html = page(client, run, "?turn=30")
    assert 'id="turn-21"' in html
    assert 'id="turn-40"' in html
    assert 'id="turn-20"' not in html
    assert 'href="?turn=41#turn-41"' in html
    assert 'href="?turn=1#turn-1"' in html
    assert 'id="turn-45"' in page(client, run, "?turn=999")


def test_text_from_outside_is_harmless_on_the_page(client):
    run = make_run(submission=HOSTILE.encode(), finish_reason=HOSTILE, note=HOSTILE, error=HOSTILE)
    make_turn(run, 1, output=HOSTILE, message=HOSTILE, reasoning=HOSTILE)
    ToolCall.objects.update(command=HOSTILE, tool=HOSTILE[:80])
    run.grades.update(
        verdicts=[verdict(HOSTILE, "false_positive", HOSTILE)],
        missed=[{"ids": [], "root_ids": [], "description": HOSTILE}],
        notes=[HOSTILE],
    )
    html = page(client, run)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert not set("\x1b\x07\x08\x9b\u202e") & set(html)


def test_a_short_output_is_shown_whole_and_a_long_one_is_fetched_when_opened(client):
    run = make_run()
    make_turn(run, 1, output="".join(f"line-{n}\n" for n in range(20)))
    make_turn(run, 2, output="".join(f"row-{n}\n" for n in range(21)))
    html = page(client, run)
    assert "line-19" in html
    assert "row-20" not in html
    address = f"/runs/{run.pk}/turns/2/output/1/"
    assert f'href="{address}" hx-get="{address}"' in html
    assert "Show all 21 lines" in html
    assert "row-20" in client.get(address).content.decode()


def test_a_whole_output_is_plain_text_for_a_browser_and_escaped_for_htmx(client):
    run = make_run()
    make_turn(run, 1, output=HOSTILE)
    address = f"/runs/{run.pk}/turns/1/output/1/"
    plain = client.get(address)
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    fragment = client.get(address, headers={"HX-Request": "true"})
    assert "&lt;script&gt;" in fragment.content.decode()
    assert "HX-Request" in fragment.headers["Vary"]
    for response in (plain, fragment):
        assert "\x1b" not in response.content.decode()


def test_a_long_command_is_folded_and_fetched_when_opened(client):
    run = make_run()
    make_turn(run, 1, command="".join(f"step-{n}\n" for n in range(60)) + "echo '<b>'")
    html = page(client, run)
    assert "step-0" in html
    assert "step-59" not in html
    assert "Show the whole command, 61 lines" in html
    address = f"/runs/{run.pk}/turns/1/command/1/"
    assert "step-59\necho '<b>'" in client.get(address).content.decode()
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert fragment.startswith("step-0\n")
    assert "&lt;b&gt;" in fragment


def test_the_recording_streams(client):
    run = make_run()
    make_turn(run, 1)
    response = client.get(f"/runs/{run.pk}/replay.cast")
    assert response.streaming
    assert b"".join(response.streaming_content).startswith(b'{"version": 2')


def test_repeats_of_a_task_lead_to_each_other(client):
    evaluation = make_evaluation()
    task = make_task(evaluation.benchmark)
    first, second, third = (make_run(evaluation, task) for _ in range(3))
    html = page(client, second)
    assert f'href="{first.get_absolute_url()}" data-previous-run' in html
    assert f'href="{third.get_absolute_url()}" data-next-run' in html


def noise(length):
    letters = random.Random(length)
    return "".join(letters.choices(string.ascii_letters + string.digits + "\n", k=length))


def test_a_page_of_a_hundred_turns_with_long_outputs_stays_small(client):
    run = make_run()
    for number in range(1, 101):
        make_turn(run, number, output=noise(20_000 + number))
    assert len(gzip.compress(page(client, run).encode())) < 30_000


@pytest.mark.parametrize("turns", [3, 60])
def test_a_run_takes_the_same_number_of_queries_for_any_number_of_turns(
    client, turns, django_assert_num_queries
):
    run = make_run()
    for number in range(1, turns + 1):
        make_turn(run, number)
    with django_assert_num_queries(7):
        page(client, run)


def test_an_answer_left_behind_is_not_called_handed_in(client):
    run = make_run(submission=None, unsubmitted=b'{"contributing_factors": []}')
    assert "Answer file, never handed in" in page(client, run)


def test_a_run_in_hand_shows_the_turns_so_far(client):
    run = make_run(evaluation=make_evaluation(benchmark=make_benchmark()))
    Run.objects.update(state=RunState.RUNNING, claimed_by="w", heartbeat=run.ended_at, ended_at=None)
    make_turn(run, 1)
    ToolCall.objects.update(output=None, exit_code=None)
    html = page(client, run)
    assert "still running" in html
