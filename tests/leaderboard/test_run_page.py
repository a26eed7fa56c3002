"""A run: its verdict first, its turns a window at a time, and text from outside that stays text."""

import gzip
import random
import string

import pytest

from evals.models import Run, RunState, ToolCall, Turn
from leaderboard.units import UNKNOWN
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


def test_what_was_searched_for_is_listed_flagged_and_led_to(client):
    run = make_run()
    for number in range(1, 31):
        make_turn(run, number, output="kind: NetworkPolicy\n" if number == 25 else "nothing\n")
    html = page(client, run, "?find=networkpolicy&hide=reasoning")
    assert "“networkpolicy” stands in 1 text of 1 turn." in html
    assert "kind: <mark>NetworkPolicy</mark>" in unspaced(html)
    assert 'href="?find=networkpolicy&amp;hide=reasoning&amp;turn=25#turn-25" data-turn="25"' in html
    assert '<path class="flag hit" d="M240 4h8"/>' in html
    # Marks outside the window keep what the address says.
    assert 'href="?turn=25&amp;find=networkpolicy&amp;hide=reasoning#turn-25"' in html


def unspaced(html):
    return " ".join(html.split())


def test_what_is_searched_for_is_text_and_stays_text(client):
    run = make_run()
    make_turn(run, 1, message=HOSTILE)
    html = page(client, run, "?find=%3Cscript%3Ealert")
    assert "stands in 1 text" in html
    assert "<mark>&lt;script&gt;alert</mark>" in html
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    "query", ["?hide=everything&hide=%00", "?turn=-1", "?turn=x", "?find=%FF%FE", "?find=" + "x" * 9000]
)
def test_an_address_that_makes_no_sense_still_gives_the_page(client, query):
    run = make_run()
    make_turn(run, 1)
    assert 'id="turn-1"' in page(client, run, query)


def test_what_is_hidden_stands_in_the_address(client):
    run = make_run()
    make_turn(run, 1)
    html = page(client, run, "?hide=reasoning&hide=outputs")
    assert '<section id="turns" class="hide-reasoning hide-outputs "' in html
    assert 'href="?hide=outputs" data-hide="reasoning" role="switch" aria-checked="false"' in html


def test_a_window_of_turns_comes_alone_when_it_is_asked_for_alone(client):
    run = make_run()
    for number in range(1, 46):
        make_turn(run, number)
    response = client.get(f"{run.get_absolute_url()}?turn=30", headers={"HX-Request": "true"})
    html = response.content.decode()
    assert html.lstrip().startswith('<section id="turns"')
    assert (html.count('class="turn k-'), 'id="turn-21"' in html) == (20, True)
    assert "HX-Request" in response.headers["Vary"]


def test_each_turn_tells_what_was_spent_up_to_it_and_how_full_the_context_was(client):
    run = make_run()
    run.evaluation.language_model.context_window = 1000
    run.evaluation.language_model.save()
    for number in (1, 2, 3):
        make_turn(run, number, input_tokens=100 * number, output_tokens=10, cost_usd=0.25)
    html = page(client, run)
    assert "Σ 630 · $0.75 · 3.3\xa0s" in html
    assert "context 30\xa0%" in html
    assert "fullest at 300 tokens, 30\xa0% of the context window" in html


def test_a_turn_of_unknown_cost_makes_the_total_unknown_from_there_on(client):
    run = make_run()
    make_turn(run, 1, input_tokens=5, cost_usd=0.5)
    make_turn(run, 2, input_tokens=5, cost_usd=None)
    html = page(client, run)
    assert "Σ 5 · $0.50" in html
    assert f"Σ 10 · {UNKNOWN}" in html


def test_where_a_root_cause_came_into_view_is_said_and_flagged(client):
    run = make_run()
    for number in range(1, 31):
        make_turn(run, number)
    run.grades.update(
        sightings=[
            {"ids": ["flag"], "root_ids": ["flag"], "description": "ConfigMap flagd-config in otel-demo",
             "seen_turn": 4, "seen_call": 1, "named_turn": 26},
            {"ids": ["x"], "root_ids": ["x"], "description": "Pod x", "seen_turn": None, "seen_call": None,
             "named_turn": None},
        ]
    )  # fmt: skip
    html = unspaced(page(client, run))
    link = '<a href="?turn=4#turn-4" data-turn="4">turn 4</a>'
    assert f"first seen in an output in {link}, 26 turns before the end" in html
    assert "never seen in an output; never named by the model" in html
    assert '<path class="flag seen" d="M30 93h8"/>' in html
    assert '<path class="flag named" d="M250 98h8"/>' in html
    assert html.count("root cause first seen") == 1


def test_a_long_message_and_a_long_thought_are_fetched_when_opened(client):
    run = make_run()
    make_turn(run, 1, message="word " * 1000, reasoning="<thought> " * 1000)
    html = page(client, run)
    assert len(html) < 40_000
    for part in ("message", "reasoning"):
        address = f"/runs/{run.pk}/turns/1/{part}/"
        assert f'hx-get="{address}"' in html
        assert client.get(address).headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "&lt;thought&gt;" in client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert client.get(f"/runs/{run.pk}/turns/1/provider_fields/").status_code == 404


def test_what_an_imported_run_was_told_stands_before_its_turn(client):
    evaluation = make_evaluation(harness="mini-swe-agent", harness_version="2.1")
    run = make_run(evaluation)
    make_turn(
        run,
        1,
        given=[
            {"source": "system", "text": "You are <b>helpful</b>."},
            {"source": "user", "text": "y" * 5000},
        ],
    )
    html = page(client, run)
    assert "imported, played by mini-swe-agent 2.1" in html
    assert "Told by the system" in html
    assert "You are &lt;b&gt;helpful&lt;/b&gt;." in html
    assert client.get(f"/runs/{run.pk}/turns/1/given/2/").content == b"y" * 5000
    assert client.get(f"/runs/{run.pk}/turns/1/given/3/").status_code == 404


def test_five_megabytes_in_one_line_are_opened_in_part(client):
    run = make_run()
    make_turn(run, 1, output="x" * 5_000_000)
    assert len(page(client, run)) < 30_000
    address = f"/runs/{run.pk}/turns/1/output/1/"
    fragment = client.get(address, headers={"HX-Request": "true"}).content
    assert len(fragment) < 250_000
    assert b"All of it as plain text" in fragment
    assert len(client.get(address).content) >= 5_000_000


def noise(length):
    letters = random.Random(length)
    return "".join(letters.choices(string.ascii_letters + string.digits + "\n", k=length))


@pytest.mark.parametrize(("turns", "wanted"), [(100, 1), (1000, 1), (1000, 900)])
def test_a_page_of_many_turns_with_long_outputs_stays_small(client, turns, wanted):
    run = make_run()
    made = Turn.objects.bulk_create(
        Turn(
            run=run,
            number=n,
            message=noise(300 + n),
            reasoning=noise(1500 + n),
            input_tokens=100 * n,
            output_tokens=n,
        )
        for n in range(1, turns + 1)
    )
    ToolCall.objects.bulk_create(
        ToolCall(
            turn=turn,
            number=1,
            call_id="c",
            tool="run_shell",
            command=noise(80),
            output=noise(20_000 + turn.number),
        )
        for turn in made
    )
    assert len(gzip.compress(page(client, run, f"?turn={wanted}").encode())) < 60_000


@pytest.mark.parametrize("turns", [3, 60])
def test_a_run_takes_the_same_number_of_queries_for_any_number_of_turns(
    client, turns, django_assert_num_queries
):
    run = make_run()
    for number in range(1, turns + 1):
        make_turn(run, number)
    with django_assert_num_queries(8):
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
