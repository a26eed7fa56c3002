"""What the runs of an evaluation come to, from the rows up."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from evals.models import EvaluationState, RunState
from evals.queries import evaluation_summary, score_frame, standing_evaluations
from tests.factories import (
    make_benchmark,
    make_evaluation,
    make_grade,
    make_model,
    make_run,
    make_task,
    make_turn,
)

pytestmark = pytest.mark.django_db


def started_run(evaluation, **fields):
    now = timezone.now()
    fields = {"stop_reason": "", "ended_at": None, "claimed_by": "worker", "heartbeat": now, **fields}
    return make_run(evaluation, score=None, state=RunState.RUNNING, error="", **fields)


def test_every_task_weighs_the_same_however_often_it_ran():
    evaluation = make_evaluation()
    often, once = make_task(evaluation.benchmark), make_task(evaluation.benchmark)
    for score in (1, 1, 1):
        make_run(evaluation, often, score)
    make_run(evaluation, once, 0)
    summary = evaluation_summary(evaluation)
    assert summary.mean == 0.5
    assert summary.task_means == {often.pk: 1.0, once.pk: 0.0}


def test_a_run_without_a_score_is_counted_apart_and_not_as_zero():
    evaluation = make_evaluation()
    make_run(evaluation, score=1)
    make_run(evaluation, score=None)
    make_run(evaluation, score=1).grades.all().delete()
    started_run(evaluation)
    make_run(evaluation, score=None, state=RunState.CANCELLED)
    summary = evaluation_summary(evaluation)
    assert (summary.mean, summary.planned, summary.scored) == (1.0, 5, 1)
    assert (summary.unscored, summary.errored, summary.active, summary.cancelled) == (1, 1, 1, 1)


def test_an_errored_run_has_no_score_even_with_a_grade_of_before():
    evaluation = make_evaluation()
    make_grade(make_run(evaluation, score=None), 1)
    assert evaluation_summary(evaluation).mean is None


def test_an_evaluation_without_runs_has_nothing_to_say():
    summary = evaluation_summary(make_evaluation())
    assert (summary.mean, summary.planned, summary.cost_per_task_usd, summary.complete) == (
        None,
        0,
        None,
        False,
    )


def test_an_unknown_cost_makes_the_mean_unknown():
    evaluation = make_evaluation()
    make_run(evaluation, cost_usd=0.5)
    assert evaluation_summary(evaluation).cost_per_task_usd == 0.5
    make_run(evaluation, cost_usd=None)
    summary = evaluation_summary(evaluation)
    assert (summary.cost_per_task_usd, summary.cost_total_usd) == (None, None)


def test_unknown_tokens_are_not_zero_tokens():
    evaluation = make_evaluation()
    make_run(evaluation, input_tokens=10, cache_read_tokens=20, cache_write_tokens=3, output_tokens=4)
    assert evaluation_summary(evaluation).tokens_per_task == 37
    make_run(evaluation, tokens_known=False)
    assert evaluation_summary(evaluation).tokens_per_task is None


def test_figures_per_task_are_means_over_ended_runs_and_money_counts_all_runs():
    evaluation = make_evaluation()
    make_run(evaluation, turns_total=10, duration_s=30.0, cost_usd=1.0)
    make_run(evaluation, turns_total=20, duration_s=60.0, cost_usd=3.0)
    make_run(evaluation, score=None, turns_total=99, duration_s=999.0, cost_usd=5.0)
    summary = evaluation_summary(evaluation)
    assert (summary.turns_per_task, summary.seconds_per_task) == (15, 45)
    assert (summary.cost_per_task_usd, summary.cost_total_usd) == (2.0, 9.0)


def test_the_newest_version_of_the_benchmarks_grader_gives_the_score():
    run = make_run(score=1)
    make_grade(run, 0.5, grader_version=2)
    make_grade(run, 0, grader="judge", grader_version=7)
    frame = score_frame(run.evaluation.benchmark)
    assert len(frame) == 1
    assert (frame.score[0], frame.outcome[0], frame.grader_version[0]) == (0.5, "over_reported", 2)


def test_a_run_graded_by_another_grader_only_has_no_score():
    run = make_run(score=1)
    run.grades.update(grader="judge")
    assert math.isnan(score_frame(run.evaluation.benchmark).score[0])


def test_the_evaluation_with_most_scored_runs_stands_for_its_model():
    benchmark, model = make_benchmark(), make_model()
    task = make_task(benchmark)
    full = make_evaluation(benchmark=benchmark, language_model=model)
    make_run(full, task)
    make_run(full, task)
    begun = make_evaluation(
        benchmark=benchmark, language_model=model, state=EvaluationState.RUNNING, ended_at=None
    )
    make_run(begun, task)
    assert standing_evaluations(benchmark) == [full]
    make_run(begun, task)
    assert standing_evaluations(benchmark) == [begun]


def test_of_equally_complete_evaluations_the_newest_stands():
    benchmark, model = make_benchmark(), make_model()
    older, newer = (make_evaluation(benchmark=benchmark, language_model=model) for _ in range(2))
    type(older).objects.filter(pk=newer.pk).update(created_at=timezone.now() + timedelta(days=1))
    assert [evaluation.pk for evaluation in standing_evaluations(benchmark)] == [newer.pk]


def test_the_frame_takes_a_constant_number_of_queries_and_no_turns(django_assert_num_queries):
    benchmark = make_benchmark()
    for _ in range(3):
        evaluation = make_evaluation(benchmark=benchmark)
        for task in (make_task(benchmark), make_task(benchmark)):
            make_turn(make_run(evaluation, task), 1)
    with django_assert_num_queries(2) as queries:
        assert len(score_frame(benchmark)) == 6
    assert not any("evals_turn" in query["sql"] for query in queries)


def test_an_empty_frame_has_its_columns():
    frame = score_frame(make_benchmark())
    assert {"run", "task", "score", "tokens", "seconds"} <= set(frame.columns)
    assert frame.empty
