"""Every change of what pages show is counted, and nothing else is."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from evals import triggers
from evals.models import (
    BoardVersion,
    Evaluation,
    EvaluationState,
    LanguageModel,
    PublishedResult,
    Run,
    RunState,
)
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db


def number(benchmark):
    return BoardVersion.objects.get(benchmark=benchmark).number


@pytest.fixture
def run():
    run = make_run(score=0.5)
    PublishedResult.objects.create(
        benchmark=run.task.benchmark, language_model=make_model(), score=0.5, as_of="2026-05",
        source_name="A", source_url="https://a.example/",
    )  # fmt: skip
    return run


CHANGES = {
    "a grade comes": lambda run: run.grades.create(
        grader="other", grader_version=1, score=1, outcome="exact", true_positives=1, false_positives=0,
        false_negatives=0,
    ),
    "a grade changes": lambda run: run.grades.update(score=0.25),
    "a grade goes": lambda run: run.grades.all().delete(),
    "a run is added": lambda run: make_run(run.evaluation, run.task, None),
    "a run changes state": lambda run: Run.objects.filter(pk=run.pk).update(
        state=RunState.ERRORED, error="gone"
    ),
    "a run goes": lambda run: run.delete(),
    "an evaluation is planned": lambda run: make_evaluation(benchmark=run.task.benchmark),
    "an evaluation is paused": lambda run: Evaluation.objects.update(state=EvaluationState.PAUSED),
    "a task is renamed": lambda run: type(run.task).objects.update(title="Checkout is slow"),
    "a model is renamed": lambda run: LanguageModel.objects.update(name="Another name"),
    "the benchmark is renamed": lambda run: type(run.task.benchmark).objects.update(name="Another name"),
    "another benchmark comes": lambda run: make_benchmark(),
    "a published result changes": lambda run: PublishedResult.objects.update(score=0.6),
    "a run is tagged": lambda run: run.remarks.create(tag="symptom_as_cause"),
    "a statement by hand": lambda run: connection.cursor().execute("UPDATE evals_grade SET score = 0.1"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_pages_show_is_counted(run, change):
    benchmark = run.task.benchmark
    before = number(benchmark)
    change(run)
    assert number(benchmark) > before


def test_a_turn_that_is_saved_is_not_counted(run):
    before = number(run.task.benchmark)
    make_turn(run, 1)
    Run.objects.filter(pk=run.pk).update(turns_total=11, cost_usd=0.7, duration_s=31)
    assert number(run.task.benchmark) == before


def test_a_grade_counts_for_its_own_benchmark_alone(run):
    other = make_benchmark()
    before = number(other)
    run.grades.update(score=0.25)
    assert number(other) == before


def test_a_benchmark_can_be_deleted_with_its_count():
    benchmark = make_task().benchmark
    benchmark.delete()
    assert not BoardVersion.objects.exists()


def test_the_triggers_are_put_back_after_each_migrate(run):
    on = " ON evals_grade" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER board_version_evals_grade_update{on}")
    call_command("migrate", verbosity=0)
    before = number(run.task.benchmark)
    run.grades.update(score=0.25)
    assert number(run.task.benchmark) > before


def test_every_table_is_watched_or_known_to_show_nowhere():
    shown_nowhere = {"BoardVersion", "Worker", "Turn", "ToolCall", "RunSource"}
    watched = {trigger.table for trigger in triggers.triggers()}
    tables = set(apps.get_app_config("evals").get_models())
    assert {model.__name__ for model in tables if model._meta.db_table not in watched} == shown_nowhere
