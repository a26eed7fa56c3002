"""What agents named instead: each run counts once, and only answers that could be read count."""

import pytest

from evals.grading.ground_truth import parse_ground_truth
from evals.grading.precision import grade
from evals.models import Grade, Run
from leaderboard.mistakes import MOST_SHOWN, mistakes_of
from tests.factories import GROUND_TRUTH, WRONG_ANSWER, make_evaluation, make_grade, make_run, make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluation():
    return make_evaluation()


def make_answer(evaluation, *wrong, missed=(), task=None, **fields):
    """A run whose grade has these false positives (name, reason) and missed root causes."""
    run = make_run(evaluation, task, score=0, **fields)
    run.grades.update(
        verdicts=[verdict(name, reason) for name, reason in wrong],
        missed=[{"ids": [], "root_ids": [], "description": text} for text in missed],
    )
    return run


def verdict(name, reason="not in the ground truth", kind="false_positive"):
    return {"name": name, "group_id": None, "verdict": kind, "reason": reason}


def blamed(*names):
    return [(name, "not in the ground truth") for name in names]


def mistakes(evaluation):
    return mistakes_of(Run.objects.filter(evaluation=evaluation), "aa-precision")


def test_the_commonest_come_first_with_their_runs_tasks_and_an_example(evaluation):
    task = make_task(evaluation.benchmark)
    make_answer(evaluation, *blamed("x/Pod/rare"))
    first = make_answer(evaluation, *blamed("x/Pod/ad"), task=task)
    make_answer(evaluation, *blamed("x/Pod/ad"), task=task)
    top, rare = mistakes(evaluation).false_positives
    assert (top.name, top.runs, top.tasks, top.example) == ("x/Pod/ad", 2, 1, first.pk)
    assert (rare.name, rare.runs) == ("x/Pod/rare", 1)


def test_what_the_grader_writes_is_what_is_read(evaluation):
    run = make_run(evaluation, score=0)
    result = grade(parse_ground_truth(GROUND_TRUTH), WRONG_ANSWER).to_json()
    run.grades.update(verdicts=result["verdicts"], missed=result["missed"])
    found = mistakes(evaluation)
    assert [(m.name, m.reason) for m in found.false_positives] == [
        ("otel-demo/Service/ad", "downstream: ad-service")
    ]
    assert [m.name for m in found.missed] == ["ConfigMap flagd-config in otel-demo"]
    assert (found.blamed, found.lacking) == (1, 1)


def test_spellings_and_pods_of_one_workload_are_one_entity_under_the_commonest_name(evaluation):
    make_answer(evaluation, *blamed("Shop/pods/ad-8546fdc74d-d68cn"))
    make_answer(evaluation, *blamed("shop/Pod/ad-7d9c5b6f48-x2x7k", "shop/Pod/ad-8546fdc74d-d68cn"))
    make_answer(evaluation, *blamed("shop/Pod/ad-8546fdc74d-d68cn"))
    (only,) = mistakes(evaluation).false_positives
    assert (only.name, only.runs) == ("shop/Pod/ad-8546fdc74d-d68cn", 3)


def test_kinds_stay_apart(evaluation):
    make_answer(evaluation, *blamed("x/Pod/ad", "x/Service/ad", "no entity at all"))
    assert mistakes(evaluation).false_positives_in_all == 3


def test_reasons_that_differ_by_task_are_told_by_their_kind(evaluation):
    for reason in ("downstream: ad-1", "downstream: ad-2", "not in the ground truth"):
        make_answer(evaluation, ("x/Pod/ad", reason))
    assert mistakes(evaluation).false_positives[0].reason == "downstream or not in the ground truth"


def test_what_is_right_or_said_twice_is_no_mistake(evaluation):
    run = make_answer(evaluation)
    run.grades.update(
        verdicts=[verdict("x/Pod/a", kind="true_positive"), verdict("x/Pod/a", kind="duplicate")]
    )
    found = mistakes(evaluation)
    assert (found.false_positives, found.blamed, found.answered) == ((), 0, 1)


def test_a_run_without_an_answer_missed_nothing_in_particular(evaluation):
    run = make_answer(evaluation, missed=["ConfigMap flagd-config"])
    run.grades.update(outcome="no_answer")
    found = mistakes(evaluation)
    assert (found.graded, found.answered, found.missed) == (1, 0, ())


def test_an_errored_run_does_not_count(evaluation):
    run = make_answer(evaluation, *blamed("x/Pod/ad"))
    Run.objects.filter(pk=run.pk).update(state="errored", error="gone")
    assert mistakes(evaluation).graded == 0


def test_only_the_newest_version_of_the_benchmarks_grader_counts(evaluation):
    run = make_answer(evaluation, *blamed("x/Pod/old"))
    make_grade(run, 0, grader_version=2, verdicts=[verdict("x/Pod/new")])
    make_grade(run, 0, grader="judge", grader_version=3, verdicts=[verdict("x/Pod/judged")])
    assert [m.name for m in mistakes(evaluation).false_positives] == ["x/Pod/new"]
    assert Grade.objects.count() == 3


def test_a_long_tail_is_counted_and_not_listed(evaluation):
    make_answer(evaluation, *blamed(*(f"x/Pod/p-{chr(97 + i)}" for i in range(MOST_SHOWN + 4))))
    found = mistakes(evaluation)
    assert (len(found.false_positives), found.false_positives_in_all) == (MOST_SHOWN, MOST_SHOWN + 4)


def test_any_number_of_runs_takes_one_query(evaluation, django_assert_num_queries):
    for _ in range(3):
        make_answer(evaluation, *blamed("x/Pod/ad"))
    with django_assert_num_queries(1):
        mistakes(evaluation)
