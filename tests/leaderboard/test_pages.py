"""Every other page: its content, who may see it, and what it does with a bad address."""

import re

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from evals.models import Evaluation, EvaluationState, RunState
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db


def text_of(client, address):
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


@pytest.fixture
def run():
    benchmark = make_benchmark(slug="b")
    task = make_task(
        benchmark,
        slug="t",
        title="Checkout fails",
        ground_truth={
            "groups": [{"id": "flag", "kind": "ConfigMap", "namespace": "otel-demo", "name": None,
                        "filters": ["flagd-config"], "root_cause": True}],
            "faults": [{"condition": "a flag is on", "mechanism": "feature-flag"}],
            "propagations": [],
        },
        alert_summary=[
            {"name": "HighRequestLatency", "service": "checkout", "severity": "warning", "count": 3,
             "since": "2025-12-15T17:36:00Z", "first_seen": "2025-12-15T17:36:00Z",
             "last_seen": "2025-12-15T17:40:00Z", "namespace": "otel-demo"},
            {"name": "PodCrash", "service": "ad", "severity": "critical", "count": 1, "since": "",
             "first_seen": "2025-12-15T17:30:00Z", "last_seen": "2025-12-15T17:40:00Z", "namespace": "x"},
        ],
    )  # fmt: skip
    return make_run(make_evaluation(benchmark=benchmark), task, 0.5)


def test_the_tasks_of_a_benchmark_say_how_hard_they_are(client, run):
    html = text_of(client, "/benchmarks/b/tasks/")
    assert "Checkout fails" in html
    assert "50\xa0%" in html
    assert "0 of 1" in html


def test_a_benchmark_without_tasks_says_the_command(client):
    make_benchmark(slug="bare")
    assert "manage.py import_benchmark FOLDER --slug bare" in text_of(client, "/benchmarks/bare/tasks/")


def test_a_task_shows_its_alerts_in_time_and_hides_its_truth_behind_a_click(client, run):
    html = text_of(client, "/tasks/b/t/")
    assert html.index("PodCrash") < html.index("HighRequestLatency")
    assert "otel-demo/ConfigMap/flagd-config" in html.partition("<details")[2]
    assert "flagd-config" not in html.partition("<details")[0]
    assert run.get_absolute_url() in html


def test_a_task_says_how_hard_it_is_beside_the_others(client, run):
    make_run(run.evaluation, make_task(run.task.benchmark), 0)
    make_run(run.evaluation, make_task(run.task.benchmark), 1)
    html = text_of(client, "/tasks/b/t/")
    assert "2nd hardest</span><small>of 3 tasks</small>" in html
    assert "too few models" in html


def test_a_task_draws_how_its_fault_spread_and_tells_it_in_sentences(client, run):
    truth = run.task.ground_truth
    truth["propagations"] = [
        {"source": "flag", "target": "ghost", "condition": "it is on", "effect": "<script>ads fail</script>"}
    ]
    run.task.save()
    open_part, _, hidden = text_of(client, "/tasks/b/t/").partition('<details class="truth">')
    assert "ads fail" not in open_part
    assert "<script>ads" not in hidden
    assert (
        "<strong>ConfigMap flagd-config</strong> to <strong>ghost</strong>: &lt;script&gt;ads fail" in hidden
    )
    assert "<svg" in hidden


def test_a_task_tells_behind_a_click_what_agents_named_instead(client, run):
    run.grades.update(
        verdicts=[{"name": "shop/Pod/<b>ad", "verdict": "false_positive", "reason": "downstream: ad-1"}],
        missed=[{"description": "ConfigMap flagd-config in otel-demo"}],
    )
    open_part, _, hidden = text_of(client, "/tasks/b/t/").partition('<details class="truth">')
    assert "downstream" not in open_part
    assert "shop/<wbr>Pod/<wbr>&lt;b&gt;ad</code><small>downstream: ad-1</small>" in hidden
    assert "<code>ConfigMap flagd-config in otel-demo</code>" in hidden
    assert hidden.count(f'href="{run.get_absolute_url()}">run {run.pk}</a>') == 2


def test_a_task_shows_the_mistakes_of_its_own_runs_only(client, run):
    other = make_run(run.evaluation, make_task(run.task.benchmark), 0)
    other.grades.update(verdicts=[{"name": "x/Pod/other", "verdict": "false_positive", "reason": "no"}])
    assert "other</code>" not in text_of(client, run.task.get_absolute_url())
    assert "other</code>" in text_of(client, other.task.get_absolute_url())


def test_the_mean_of_a_task_is_that_of_the_matrix_and_of_the_list(client, run):
    other = make_evaluation(benchmark=run.task.benchmark)
    for _ in range(3):
        make_run(other, run.task, 1)  # One run scores 0.5, three of another model 1: each model is a half.
    for address in ("/tasks/b/t/", "/benchmarks/b/tasks/", "/benchmarks/b/matrix/"):
        assert "75\xa0%" in text_of(client, address), address


def test_a_task_whose_alerts_tell_no_time_still_lists_them(client):
    task = make_task(alert_summary=[{"name": "A", "service": "s", "since": "", "last_seen": ""}])
    assert '<th scope="row">A</th>' in text_of(client, task.get_absolute_url())


def test_a_model_shows_its_figures_and_a_cell_for_every_run(client, run):
    html = text_of(client, run.evaluation.language_model.get_absolute_url())
    assert "50\xa0%" in html
    assert f'class="s3" href="{run.get_absolute_url()}"' in html
    assert run.evaluation.get_absolute_url() in html


def test_a_model_shows_its_scores_by_category_its_turns_its_costs_and_its_mistakes(client, run):
    run.task.fault_category = "Change, Resource"
    run.task.save()
    run.grades.update(
        verdicts=[{"name": "shop/Pod/ad", "verdict": "false_positive", "reason": "not in the ground truth"}]
    )
    html = text_of(client, run.evaluation.language_model.get_absolute_url())
    assert "50\xa0% in every category" in html
    assert "Over-reported runs take 10 turns in the median" in html
    assert "Every run costs $0.50" in html
    assert "1 of 1 answer names what is no root cause" in html
    assert "shop/<wbr>Pod/<wbr>ad</code>" in html


def test_a_model_whose_runs_are_free_has_no_costs_to_draw(client):
    run = make_run(cost_usd=0)
    html = text_of(client, run.evaluation.language_model.get_absolute_url())
    assert "-turns-table" in html
    assert "-costs-table" not in html


def test_a_model_without_a_graded_run_draws_nothing(client):
    run = make_run(score=None)
    html = text_of(client, run.evaluation.language_model.get_absolute_url())
    assert "<figure" not in html
    assert "Blamed wrongly" not in html


def test_no_id_stands_twice_on_a_page(client, run):
    model = run.evaluation.language_model
    make_run(make_evaluation(language_model=model))
    for address in (model.get_absolute_url(), run.task.get_absolute_url()):
        ids = re.findall(r'\sid="([^"]+)"', text_of(client, address))
        assert len(ids) == len(set(ids)), address


def test_a_model_nobody_evaluated_says_how_to(client):
    model = make_model(slug="fresh")
    assert "manage.py evaluate --model fresh" in text_of(client, model.get_absolute_url())
    assert model.name in text_of(client, "/models/")


def test_lists_without_rows_say_the_command_that_fills_them(client):
    assert "manage.py load_published" in text_of(client, "/models/")
    assert "manage.py evaluate" in text_of(client, "/evaluations/")


def test_the_list_of_evaluations_shows_state_and_progress(client, run):
    make_run(run.evaluation, score=None, state=RunState.QUEUED, error="", task=make_task(run.task.benchmark))
    html = text_of(client, "/evaluations/")
    assert "50\xa0% done" in html
    assert ">ended</span>" in html


def test_an_evaluation_polls_while_it_runs_and_stops_when_it_ended(client, run):
    assert "hx-trigger" not in text_of(client, run.evaluation.get_absolute_url())
    Evaluation.objects.update(state=EvaluationState.RUNNING, ended_at=None)
    assert "hx-trigger" in text_of(client, run.evaluation.get_absolute_url())


def test_htmx_gets_the_changing_part_only_and_caches_keep_them_apart(client, run):
    response = client.get(run.evaluation.get_absolute_url(), headers={"HX-Request": "true"})
    html = response.content.decode()
    assert "<html" not in html
    assert 'id="progress"' in html
    assert "HX-Request" in response.headers["Vary"]


def test_an_evaluation_shows_its_state_reason_and_cost_of_its_limit(client, run):
    evaluation = run.evaluation
    evaluation.state, evaluation.reason, evaluation.cost_limit_usd = (
        "paused",
        "The cost limit is reached",
        2.0,
    )
    evaluation.save()
    html = text_of(client, evaluation.get_absolute_url())
    assert "The cost limit is reached" in html
    assert "$0.50</b> of $2.00" in html


def test_an_evaluation_without_a_known_price_says_so_with_a_dash(client):
    run = make_run(cost_usd=None)
    assert "Cost so far: \N{EN DASH}" in text_of(client, run.evaluation.get_absolute_url())


def test_the_methodology_tells_real_from_synthetic(client):
    html = text_of(client, "/methodology/")
    assert "synthetic" in html
    assert "errored" in html


def test_a_wrong_address_is_a_page_of_ours(client):
    response = client.get("/nothing/here/")
    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/?sort=nonsense", "/?sort=-", "/?results=nothing", "/?sort=%ff%fe", "/?%00=%00",
        "/benchmarks/b/?sort=cost&sort=-score", "/evaluations/?page=-1", "/evaluations/?page=x",
        "/evaluations/?page=999999999999999999999999", "/benchmarks/b/tasks/?page=%c3%28", "/models/?q=%00",
    ],
)  # fmt: skip
def test_a_bad_query_is_answered_with_the_page(client, run, address):
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "turn", ["-1", "0", "x", "%ff", "99999999999999999999", "1e3", "\N{SUPERSCRIPT TWO}", ""]
)
def test_a_bad_turn_is_answered_with_the_page(client, run, turn):
    assert client.get(f"{run.get_absolute_url()}?turn={turn}").status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/benchmarks/no/", "/tasks/b/no/", "/models/no/", "/evaluations/9/", "/runs/9/", "/runs/9/replay.cast",
     "/runs/99999999999999999999999/", "/benchmarks/%00/", "/models/%ff/"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(client, address):
    assert client.get(address).status_code == 404


def test_pages_answer_reading_only(client, run):
    for address in ("/", "/models/", run.get_absolute_url(), run.evaluation.get_absolute_url()):
        assert client.post(address).status_code == 405


def test_healthz_asks_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok"


def test_readyz_says_whether_every_table_is_there(client):
    assert client.get("/readyz").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'evals'")
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (503, b"migrations missing")


@pytest.mark.parametrize("rows", [2, 12])
def test_lists_take_the_same_number_of_queries_for_any_number_of_rows(
    client, rows, django_assert_max_num_queries
):
    benchmark = make_benchmark(slug="many")
    evaluation = make_evaluation(benchmark=benchmark)
    for _ in range(rows):
        make_run(evaluation, make_task(benchmark))
        make_evaluation(benchmark=benchmark)
    for address, most in {
        "/models/": 2,
        "/evaluations/": 3,
        "/benchmarks/many/tasks/": 5,
        evaluation.get_absolute_url(): 4,
        # Its evaluations and published results, and for each board: evaluations and runs of all models, its
        # tasks, whether any is held out, its runs, their grades and tags.
        evaluation.language_model.get_absolute_url(): 11,
        # The tasks beside it, whether any is held out, the grades of its runs and their tags and what was
        # imported come on top of the grid.
        benchmark.tasks.first().get_absolute_url(): 10,
    }.items():
        with django_assert_max_num_queries(most):
            client.get(address)


def test_times_are_told_as_people_say_them_with_the_exact_one_in_the_title(client):
    began = timezone.now().replace(microsecond=0) - timezone.timedelta(hours=3)
    evaluation = make_evaluation(started_at=began)
    html = text_of(client, evaluation.get_absolute_url())
    assert f'title="{began:%Y-%m-%d %H:%M:%S} UTC">3 hours ago' in html


def test_static_files_can_be_collected(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "itbench_site.storage.StaticStorage"},
    }
    call_command("collectstatic", "--no-input", verbosity=0)
    assert list(tmp_path.glob("css/site.*.css.br"))


def test_the_page_of_a_turn_by_turn_run_is_reached_from_its_cell(client, run):
    make_turn(run, 1)
    assert run.get_absolute_url() in text_of(client, run.evaluation.get_absolute_url())


@pytest.fixture
def policy_on(settings):
    policy = "leaderboard.middleware.ContentSecurityPolicy"
    settings.MIDDLEWARE = [policy, *(name for name in settings.MIDDLEWARE if name != policy)]


def test_every_answer_carries_the_policy_and_only_a_run_may_compile_its_player(policy_on, client, run):
    for address in ("/", "/nothing/here/", "/methodology/"):
        policy = client.get(address).headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "wasm" not in policy
    assert "'wasm-unsafe-eval'" in client.get(run.get_absolute_url()).headers["Content-Security-Policy"]


def test_the_list_of_evaluations_tells_each_score_as_its_own_page_does(client):
    evaluation = make_evaluation()
    for score in (1, 0, 0.5, 0.5, 0.5):
        make_run(evaluation, make_task(evaluation.benchmark), score)
    make_evaluation()
    assert re.findall(r'<td class="n">([^<]+)</td>', text_of(client, "/evaluations/")) == ["–", "50\xa0%"]  # noqa: RUF001
    assert "50\xa0%" in text_of(client, evaluation.get_absolute_url())
