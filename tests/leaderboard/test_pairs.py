"""Two runs side by side: what differs is said, what each did stands aligned, and secrets stay secret."""

import gzip

import pytest
from django.contrib.auth.models import User

from evals.models import ToolCall
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db


def verdict(name, kind):
    return {"name": name, "group_id": None, "verdict": kind, "reason": "because"}


@pytest.fixture
def runs():
    benchmark = make_benchmark()
    task = make_task(benchmark, slug="scenario-1")
    made = []
    for name, score, cost in (("Alpha", 1.0, 0.5), ("Beta", 0, 2.0)):
        evaluation = make_evaluation(benchmark=benchmark, language_model=make_model(name=name))
        made.append(make_run(evaluation, task, score, cost_usd=cost, turns_total=2 if score else 3))
    made[0].grades.update(verdicts=[verdict("otel-demo/ConfigMap/flagd-config", "true_positive")])
    made[1].grades.update(
        verdicts=[verdict("otel-demo/Service/ad", "false_positive")],
        missed=[{"ids": [], "root_ids": [], "description": "ConfigMap flagd-config"}],
    )
    for run, commands in zip(made, (["ls", "cat alerts"], ["ls", "pwd", "cat alerts"]), strict=True):
        for number, command in enumerate(commands, start=1):
            make_turn(run, number, command=command)
    return made


def page(client, left, right, query="", status=200):
    response = client.get(f"/runs/{left.pk}/vs/{right.pk}/{query}")
    assert response.status_code == status
    return response.content.decode()


def test_what_tells_them_apart_is_one_sentence(client, runs):
    html = page(client, *runs)
    assert (
        "Alpha named the root causes and nothing else; Beta missed a root cause. "
        "Beta took 1 more turn and cost $1.50 more." in html
    )
    assert "Beta took 1 more turn and cost $1.50 more." in page(client, *runs[::-1])


def test_repeats_of_one_model_are_told_apart_by_their_number(client, runs):
    again = make_run(runs[0].evaluation, runs[0].task, 1.0, turns_total=2)
    html = page(client, runs[0], again)
    assert "Both named the root causes and nothing else. Both took as many turns." in html
    assert "<h1>Repeat 1 and Repeat 2 on scenario-1</h1>" in html


def test_what_each_named_stands_beside_what_the_other_named(client, runs):
    runs[1].grades.update(
        verdicts=[
            verdict("otel-demo/configmaps/flagd-config", "true_positive"),
            verdict("a/Pod/b", "false_positive"),
        ],
        missed=[],
    )
    html = page(client, *runs)
    assert html.count("not named") == 1
    assert "otel-demo/configmaps/flagd-config" in html


def test_commands_are_aligned_and_lead_to_their_turns(client, runs):
    ToolCall.objects.filter(turn__run=runs[1], turn__number=3).update(exit_code=1)
    html = page(client, *runs)
    assert "2 the same, 0 alike, 0 only by Alpha, 1 only by Beta" in html
    assert (
        f'<a href="/runs/{runs[1].pk}/?turn=3#turn-3">#3</a> <code class="failed">cat alerts</code>' in html
    )
    assert f'<a href="/runs/{runs[0].pk}/?turn=2#turn-2"><title>' in html


def test_runs_of_two_tasks_and_a_run_and_itself_lead_to_the_choice(client, runs):
    other = make_run(runs[0].evaluation, make_task(runs[0].task.benchmark))
    for right in (other, runs[0]):
        response = client.get(f"/runs/{runs[0].pk}/vs/{right.pk}/")
        assert (response.status_code, response.url) == (302, f"/runs/{runs[0].pk}/vs/")


def test_the_choice_offers_repeats_models_and_imported_runs_apart(client, runs):
    repeat = make_run(runs[0].evaluation, runs[0].task)
    imported = make_run(make_evaluation(benchmark=runs[0].task.benchmark, harness="swe-agent"), runs[0].task)
    html = client.get(f"/runs/{runs[0].pk}/vs/").content.decode()
    for title in ("Its repeats", "Models on the board", "Imported runs"):
        assert f"<h2>{title}</h2>" in html
    for run in (repeat, runs[1], imported):
        assert f'href="/runs/{runs[0].pk}/vs/{run.pk}/"' in html
    alone = make_run(runs[0].evaluation, make_task(runs[0].task.benchmark))
    assert "There is no other run of this task" in client.get(f"/runs/{alone.pk}/vs/").content.decode()


def test_what_is_held_out_is_not_there_for_visitors(client, runs):
    task = make_task(runs[0].task.benchmark, split="held_out")
    secret = [make_run(run.evaluation, task) for run in runs]
    for address in (f"/runs/{secret[0].pk}/vs/", f"/runs/{secret[0].pk}/vs/{secret[1].pk}/",
                    f"/runs/{runs[0].pk}/vs/{secret[0].pk}/"):  # fmt: skip
        assert client.get(address).status_code == 404
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(f"/runs/{secret[0].pk}/vs/{secret[1].pk}/").status_code == 200


def test_hostile_text_stays_text(client, runs):
    ToolCall.objects.update(command="<script>alert(1)</script>\x1b[31m\u202e")
    html = page(client, *runs)
    assert "<script>alert" not in html
    assert not set("\x1b\u202e") & set(html)


@pytest.mark.parametrize("turns", [5, 300])
def test_queries_and_bytes_are_bounded_whatever_the_length(client, runs, turns, django_assert_num_queries):
    for run in runs:
        for number in range(4, turns + 1):
            make_turn(run, number, command=f"cat file-{run.pk}-{number} " + "x" * 2000)
    with django_assert_num_queries(10):
        html = page(client, *runs, "?page=1")
    assert len(gzip.compress(html.encode())) < 60_000


@pytest.mark.parametrize("query", ["?page=x", "?page=-1", "?page=99999", "?page=%00"])
def test_any_page_number_gives_a_page(client, runs, query):
    assert "cat alerts" in page(client, *runs, query)
