"""What is held out stays secret, and what staff do, only staff do."""

import pytest

from evals.models import Evaluation, EvaluationState, Run, Split
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db

SECRET = "sesame-4711"


@pytest.fixture
def held_out_run():
    benchmark = make_benchmark(slug="b")
    public = make_task(benchmark, slug="open-task")
    secret = make_task(
        benchmark,
        slug=f"{SECRET}-slug",
        title=f"{SECRET} title",
        split=Split.HELD_OUT,
        fault_category=f"{SECRET} category",
        ground_truth_text=f"{SECRET} truth",
        alert_summary=[{"name": f"{SECRET} alert"}],
    )
    evaluation = make_evaluation(benchmark=benchmark)
    make_run(evaluation, public, 0)
    make_run(evaluation, public, 1)
    run = make_run(evaluation, secret, 1)
    run.grades.update(
        verdicts=[{"name": f"{SECRET}/Pod/x", "verdict": "false_positive", "reason": f"{SECRET} reason"}],
        missed=[{"description": f"{SECRET} root"}],
    )
    make_turn(run, 1, output=f"{SECRET} output", message=f"{SECRET} message")
    return run


def addresses_of(run):
    return [
        run.task.get_absolute_url(),
        run.get_absolute_url(),
        f"/runs/{run.pk}/replay.cast",
        f"/runs/{run.pk}/turns/1/output/1/",
    ]


def shared_pages(run):
    return [
        "/",
        "/benchmarks/b/",
        "/benchmarks/b/tasks/",
        "/models/",
        "/tasks/b/open-task/",
        run.evaluation.language_model.get_absolute_url(),
        "/evaluations/",
        run.evaluation.get_absolute_url(),
    ]


def test_pages_of_a_held_out_task_are_not_there_for_the_public(client, visitor_client, held_out_run):
    for reader in (client, visitor_client):
        for address in addresses_of(held_out_run):
            assert reader.get(address).status_code == 404, address


def test_pages_of_a_held_out_task_are_there_for_staff(staff_client, held_out_run):
    for address in addresses_of(held_out_run):
        assert staff_client.get(address).status_code == 200, address


def test_no_shared_page_tells_the_public_anything_of_a_held_out_task(client, held_out_run):
    for address in shared_pages(held_out_run):
        html = client.get(address).content.decode()
        assert SECRET not in html, address
        assert held_out_run.get_absolute_url() not in html, address


def test_what_a_model_page_breaks_down_is_of_public_tasks_only_and_says_so(
    client, staff_client, held_out_run
):
    Run.objects.filter(pk=held_out_run.pk).update(turns_total=987, cost_usd=2000)
    address = held_out_run.evaluation.language_model.get_absolute_url()
    html, for_staff = (reader.get(address).content.decode() for reader in (client, staff_client))
    assert "of the public tasks only" in html
    assert "Runs take 10 turns in the median" in html
    assert "Every run costs $0.50" in html
    assert "of the public tasks only" not in for_staff
    assert "Exact runs take 498.5 turns" in for_staff
    assert "the dearest $2,000.00" in for_staff
    assert f"{SECRET}/" in for_staff


def test_a_task_is_placed_among_the_public_ones_and_says_so(client, staff_client, held_out_run):
    make_run(held_out_run.evaluation, make_task(held_out_run.task.benchmark, slug="another"), 1)
    html = client.get("/tasks/b/open-task/").content.decode()
    assert "of 2 public tasks" in html
    assert "of 3 tasks" in staff_client.get("/tasks/b/open-task/").content.decode()


def test_the_public_gets_the_mean_over_all_tasks_but_no_number_of_runs(client, staff_client, held_out_run):
    addresses = ["/", held_out_run.evaluation.get_absolute_url()]
    for address in addresses:
        html = client.get(address).content.decode()
        assert "75\xa0%" in html  # of 0.5 on the public task and 1 on the held-out one
        assert "of 3 runs" not in html
        assert ">3</a>" not in html
    assert "of 3 runs" in staff_client.get(addresses[1]).content.decode()


def test_the_public_sees_its_own_part_of_a_grid(client, held_out_run):
    html = client.get(held_out_run.evaluation.get_absolute_url()).content.decode()
    assert html.count('class="cells"') == 1


def test_held_out_tasks_are_counted_for_staff_only(client, staff_client, held_out_run):
    assert "1 held out" in staff_client.get("/").content.decode()
    assert "1 held out" not in client.get("/").content.decode()


ACTIONS = ["pause", "resume", "cancel", "retry"]


@pytest.mark.parametrize("action", ACTIONS)
def test_only_staff_change_an_evaluation(client, visitor_client, action):
    evaluation = make_evaluation(state=EvaluationState.RUNNING, ended_at=None)
    address = f"/evaluations/{evaluation.pk}/{action}/"
    assert client.post(address).status_code == 302
    assert visitor_client.post(address).status_code == 403
    evaluation.refresh_from_db()
    assert evaluation.state == EvaluationState.RUNNING


@pytest.mark.parametrize("action", ACTIONS)
def test_a_link_alone_changes_nothing(staff_client, action):
    evaluation = make_evaluation(state=EvaluationState.RUNNING, ended_at=None)
    assert staff_client.get(f"/evaluations/{evaluation.pk}/{action}/").status_code == 405


def test_the_form_is_for_staff(client, visitor_client, staff_client):
    assert client.get("/evaluations/new/").status_code == 302
    assert visitor_client.get("/evaluations/new/").status_code == 403
    assert staff_client.get("/evaluations/new/").status_code == 200


def test_buttons_are_shown_to_staff_only(client, staff_client):
    evaluation = make_evaluation(state=EvaluationState.RUNNING, ended_at=None)
    assert "Pause" in staff_client.get(evaluation.get_absolute_url()).content.decode()
    assert "Pause" not in client.get(evaluation.get_absolute_url()).content.decode()


def test_who_asked_for_an_evaluation_is_for_staff(client, staff_client, django_user_model):
    person = django_user_model.objects.create_user("ada.lovelace")
    evaluation = make_evaluation(requested_by=person, language_model=make_model())
    assert "ada.lovelace" in staff_client.get(evaluation.get_absolute_url()).content.decode()
    assert "ada.lovelace" not in client.get(evaluation.get_absolute_url()).content.decode()
    assert Evaluation.objects.count() == 1
