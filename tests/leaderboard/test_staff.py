"""What staff do: start, pause, resume, cancel, retry, and look into the tables."""

import pytest
from django.contrib import admin
from django.urls import reverse

from evals.models import Evaluation, EvaluationState, RunState
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def baseline():
    return make_model(slug="loudest", litellm_model="baseline/loudest")


@pytest.fixture
def benchmark(tmp_path):
    benchmark = make_benchmark(slug="b", repeats=2)
    make_task(benchmark, snapshot_path=str(tmp_path))
    return benchmark


def wish(**fields):
    return {"model": "loudest", "benchmark": "b", "concurrency": 1, "sandbox": "process", **fields}


def test_the_form_starts_an_evaluation_and_shows_it(staff_client, baseline, benchmark):
    response = staff_client.post("/evaluations/new/", wish(cost_limit_usd="", turn_cap=7))
    evaluation = Evaluation.objects.get()
    assert response.headers["Location"] == evaluation.get_absolute_url()
    assert (evaluation.turn_cap, evaluation.repeats, evaluation.runs.count()) == (7, 2, 2)
    assert evaluation.requested_by.username == "operator"


def test_the_form_takes_the_model_from_the_address_and_runs_its_checks(staff_client, baseline, benchmark):
    html = staff_client.get("/evaluations/new/?model=loudest").content.decode()
    assert '<option value="loudest" selected>' in html
    html = staff_client.get("/evaluations/new/?model=loudest&benchmark=b&sandbox=process").content.decode()
    assert "is called as baseline/loudest" in html
    assert "Every task has its files" in html
    assert "No worker is alive" in html


def test_what_is_missing_is_said_in_the_form_and_nothing_is_stored(staff_client, benchmark):
    make_model(slug="loudest", litellm_model="openai/gpt", api_key_variable="A_KEY_THAT_IS_NOT_SET")
    html = staff_client.post("/evaluations/new/", wish()).content.decode()
    assert "A_KEY_THAT_IS_NOT_SET is not set" in html
    assert not Evaluation.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [{"model": "nobody"}, {"repeats": 0}, {"turn_cap": -1}, {"cost_limit_usd": "nan"}, {"concurrency": "x"},
     {"sandbox": "none"}, {"tasks": "no-such-task"}, {"repeats": "9" * 30}],
)  # fmt: skip
def test_a_wrong_field_is_said_in_the_form(staff_client, baseline, benchmark, fields):
    response = staff_client.post("/evaluations/new/", wish(**fields))
    assert response.status_code == 200
    assert "errorlist" in response.content.decode() or 'role="alert"' in response.content.decode()
    assert not Evaluation.objects.exists()


@pytest.mark.parametrize(
    "query", ["?model=%ff", "?model=x&benchmark=y", "?model=loudest&benchmark=b&tasks=no"]
)
def test_a_bad_address_of_the_form_is_answered_with_the_form(staff_client, baseline, benchmark, query):
    assert staff_client.get(f"/evaluations/new/{query}").status_code == 200


def test_the_estimate_goes_by_the_last_evaluation(staff_client, baseline, benchmark):
    evaluation = make_evaluation(benchmark=benchmark, language_model=baseline)
    make_run(evaluation, benchmark.tasks.get(), cost_usd=1.5, duration_s=60)
    html = staff_client.get("/evaluations/new/?model=loudest&benchmark=b&concurrency=1").content.decode()
    assert "$3.00" in html
    assert "2\xa0min\xa00\xa0s" in html


def post(client, evaluation, action):
    response = client.post(f"/evaluations/{evaluation.pk}/{action}/", follow=True)
    evaluation.refresh_from_db()
    return response.content.decode()


def test_an_evaluation_is_paused_resumed_and_cancelled(staff_client):
    evaluation = make_evaluation(state=EvaluationState.RUNNING, ended_at=None)
    assert "Paused by staff" in post(staff_client, evaluation, "pause")
    assert evaluation.state == EvaluationState.PAUSED
    post(staff_client, evaluation, "resume")
    assert evaluation.state == EvaluationState.QUEUED
    assert "Cancelled by operator" in post(staff_client, evaluation, "cancel")
    assert evaluation.state == EvaluationState.CANCELLED


def test_errored_runs_alone_are_tried_again(staff_client):
    evaluation = make_evaluation()
    task = make_task(evaluation.benchmark)
    errored, ended = make_run(evaluation, task, None), make_run(evaluation, task, 1)
    assert "1 runs are queued again." in post(staff_client, evaluation, "retry")
    errored.refresh_from_db()
    ended.refresh_from_db()
    assert (errored.state, ended.state) == (RunState.QUEUED, RunState.ENDED)


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_what_ended_can_only_be_read(staff_client, action):
    evaluation = make_evaluation()
    assert f"there is nothing to {action}" in post(staff_client, evaluation, action)
    assert evaluation.state == EvaluationState.ENDED


def test_every_table_is_in_the_admin_with_its_list_and_its_page(staff_client):
    run = make_run()
    turn = make_turn(run, 1)
    rows = [run.evaluation.benchmark, run.task, run.evaluation.language_model, run.evaluation, run, turn]
    rows += [turn.tool_calls.get(), run.grades.get()]
    for row in rows:
        name = f"admin:evals_{row._meta.model_name}"
        assert staff_client.get(reverse(f"{name}_changelist"), {"q": "1"}).status_code == 200
        assert staff_client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
    tables = {model.__name__ for model in admin.site._registry if model._meta.app_label == "evals"}
    assert {type(row).__name__ for row in rows} <= tables


def test_what_a_run_recorded_is_not_changed_by_hand(staff_client):
    run = make_run()
    for name in ("run", "grade", "turn", "toolcall", "evaluation"):
        assert staff_client.get(reverse(f"admin:evals_{name}_add")).status_code == 403
    address = reverse("admin:evals_run_change", args=[run.pk])
    assert staff_client.post(address, {"state": "cancelled"}).status_code == 403


def choose(client, models, **fields):
    data = {"action": "evaluate", "_selected_action": [model.pk for model in models], **fields}
    return client.post(reverse("admin:evals_languagemodel_changelist"), data, follow=False)


def test_the_action_on_one_model_leads_to_the_form_with_it(staff_client, baseline):
    response = choose(staff_client, [baseline])
    assert response.headers["Location"] == "/evaluations/new/?model=loudest"


def test_the_action_on_several_models_asks_for_the_benchmark_and_starts_one_each(
    staff_client, baseline, benchmark, settings
):
    settings.ITBENCH_SANDBOX = "process"
    other = make_model(litellm_model="baseline/exhaustive")
    refused = make_model(litellm_model="")
    asked = choose(staff_client, [baseline, other, refused])
    assert '<option value="b">' in asked.content.decode()
    response = choose(staff_client, [baseline, other, refused], benchmark="b")
    html = staff_client.get(response.headers["Location"]).content.decode()
    assert Evaluation.objects.count() == 2
    assert "is queued." in html
    assert "known by published results only" in html
