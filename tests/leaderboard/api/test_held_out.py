"""What is held out stays secret in the API too."""

import json

import pytest
from django.contrib.auth.models import User

from evals.models import Run, Task
from tests.factories import make_evaluation, make_model, make_run, make_turn
from tests.leaderboard.api.conftest import SECRET, addresses_of

pytestmark = pytest.mark.django_db


def own_addresses(run):
    return [
        f"/api/v1/tasks/b/{run.task.slug}/",
        f"/api/v1/runs/{run.pk}/",
        f"/api/v1/runs/{run.pk}/turns/",
        f"/api/v1/runs/{run.pk}/turns/?include=outputs",
        f"/api/v1/runs/{run.pk}/turns/1/",
    ]


def shared_addresses(site):
    board = "/api/v1/benchmarks/b/board/"
    return [*addresses_of(site.runs[0]), f"{board}?format=csv", f"{board}?format=eval-results"]


def test_what_belongs_to_a_held_out_task_is_not_there_for_the_public(client, visitor_client, held_out_run):
    for reader in (client, visitor_client):
        for address in own_addresses(held_out_run):
            assert reader.get(address).status_code == 404, address


def test_a_secret_and_a_missing_thing_are_one_answer(client, held_out_run):
    for address in own_addresses(held_out_run):
        missing = address.replace(f"/{held_out_run.pk}/", "/999999/").replace(held_out_run.task.slug, "none")
        assert client.get(address).content == client.get(missing).content


def test_what_belongs_to_a_held_out_task_is_there_for_staff(staff_client, held_out_run):
    for address in own_addresses(held_out_run):
        answer = staff_client.get(address)
        assert answer.status_code == 200, address
    assert SECRET in answer.content.decode()


def test_no_shared_address_tells_the_public_anything_of_a_held_out_task(client, site, held_out_run):
    for address in shared_addresses(site):
        text = client.get(address).content.decode()
        assert SECRET not in text, address
        assert f"/runs/{held_out_run.pk}/" not in text, address


FILTERS = ["runs/?task={}-slug", "runs/?category={} category", "tasks/?category={} category"]


@pytest.mark.parametrize("address", FILTERS)
def test_a_filter_answers_of_a_secret_as_of_nothing(client, staff_client, held_out_run, address):
    secret, missing = (client.get(f"/api/v1/{address.format(name)}") for name in (SECRET, "other-4711"))
    assert secret.status_code == missing.status_code == 400
    assert secret.json()["detail"].replace(SECRET, "other-4711") == missing.json()["detail"]
    assert len(staff_client.get(f"/api/v1/{address.format(SECRET)}").json()["results"]) == 1


def numbers_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for inner in value for number in numbers_in(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


COUNTS = ["runs_planned", "runs_scored", "runs_unscored", "runs_errored", "runs_active"]


def test_numbers_of_runs_are_null_for_the_public_where_tasks_are_held_out(
    client, staff_client, site, held_out_run
):
    address = "/api/v1/benchmarks/b/board/"
    public, staff = (reader.get(address).json()["rows"][0] for reader in (client, staff_client))
    assert {public[name] for name in COUNTS} == {None}
    assert [staff[name] for name in COUNTS] == [7, 7, 0, 0, 0]
    compared = client.get("/api/v1/compare/?benchmark=b&models=first,second").json()
    assert compared["differences"][0]["common_tasks"] is None
    figures = client.get(f"/api/v1/evaluations/{site.evaluations[0].pk}/").json()["figures"]
    assert {figures[name] for name in COUNTS} == {None}


def test_no_mean_over_secret_tasks_tells_by_how_many_it_was_divided(client, staff_client, site, held_out_run):
    """The mean 2.75 / 4 is rounded; with all its digits a fraction gives its divisor away."""
    answers = [
        client.get("/api/v1/benchmarks/b/board/").json()["rows"],
        client.get("/api/v1/compare/?benchmark=b&models=first,second").json()["differences"],
        client.get(f"/api/v1/evaluations/{site.evaluations[0].pk}/").json()["figures"],
    ]
    row = answers[0][0]
    assert row["score"] == 0.69
    assert staff_client.get("/api/v1/benchmarks/b/board/").json()["rows"][0]["score"] == 0.6875
    for name in ("score", "score_low", "score_high", "exact_share", "missed_share", "progress"):
        assert row[name] == round(row[name], 2), name
    assert row["turns_per_task"] == round(row["turns_per_task"], 1)
    fine = [n for n in numbers_in(answers) if n != float(f"{n:.3g}")]
    assert fine == []


def test_public_tasks_keep_all_digits(client, site, held_out_run):
    matrix = client.get("/api/v1/benchmarks/b/matrix/").json()
    assert matrix["tasks"] == ["task-1", "task-2", "task-3"]
    assert matrix["scores"][0] == [1.0, 0.25]


def test_held_out_tasks_are_counted_for_staff_only(client, staff_client, held_out_run):
    address = "/api/v1/benchmarks/b/"
    assert client.get(address).json()["held_out_tasks"] is None
    assert staff_client.get(address).json()["held_out_tasks"] == 1
    assert client.get("/api/v1/tasks/").json()["count"] == 3
    assert staff_client.get("/api/v1/tasks/").json()["count"] == 4


def test_an_evaluation_of_secret_tasks_alone_shows_no_task(client, site, held_out_run):
    evaluation = make_evaluation(benchmark=site.benchmark, language_model=make_model(slug="third"))
    make_run(evaluation, held_out_run.task, 1)
    assert client.get(f"/api/v1/runs/?evaluation={evaluation.pk}").json()["results"] == []
    assert client.get("/api/v1/benchmarks/b/board/").json()["rows"][0]["model"] == "third"


def test_settings_of_operators_are_nowhere(client, staff_client, site):
    """What a model runs on, who asked, which worker has it: not even for staff, who have the admin."""
    model, evaluation, run = site.evaluations[0].language_model, site.evaluations[0], site.runs[0]
    model.api_base, model.api_key_variable = "http://10.1.2.3/sesame-api", "SESAME_KEY"
    model.extra_parameters, model.litellm_model = {"sesame": "parameter"}, "hosted_vllm/sesame-model"
    model.save()
    evaluation.requested_by = User.objects.create_user("sesame-user")
    evaluation.reason, evaluation.manifest = "Paused by sesame-user", {"sesame": "manifest"}
    evaluation.save()
    Run.objects.filter(pk=run.pk).update(claimed_by="sesame-worker")
    Task.objects.update(snapshot_path="/sesame/path", manifest=[{"path": "sesame-file", "bytes": 1}])
    make_turn(run, 9, provider_fields={"sesame": "provider"})
    for reader in (client, staff_client):
        for address in shared_addresses(site):
            assert "sesame" not in reader.get(address).content.decode().lower(), address


def test_the_schema_shows_no_data(client, held_out_run):
    assert SECRET not in client.get("/api/schema/").content.decode()
    assert json.loads(client.get("/api/schema/?format=json").content)["openapi"].startswith("3.")
