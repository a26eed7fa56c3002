from datetime import timedelta

import pytest
from django.utils import timezone

from evals import runner
from evals.llm import ModelError
from evals.models import EvaluationState, Grade, Run, ToolCall, Worker
from evals.runner import store
from evals.runner.workers import LostClaim, claim_next, this_place, this_worker
from evals.trajectory import Observation, Reply, ToolCall as ToolCallMade, TurnRecord
from tests.evals.runner.conftest import finish, openers, shell, write
from tests.factories import WRONG_ANSWER

pytestmark = pytest.mark.django_db

HERE = this_worker()
DEAD = f"{this_place()}:999999999:1"
ELSEWHERE = "another-host/00000000:1:1"


def work_all(evaluation, *script) -> None:
    while runner.work(evaluation.pk, HERE, openers(*script)):
        pass
    evaluation.refresh_from_db()


def test_an_evaluation_runs_to_its_end_and_every_run_has_its_grade(evaluation):
    work_all(evaluation, shell("ls alerts"), write(), finish())
    assert evaluation.state == EvaluationState.ENDED
    assert list(Grade.objects.values_list("score", "outcome")) == [(1.0, "exact")] * 2
    assert not Run.objects.exclude(state="ended", stop_reason="submitted").exists()


def test_the_totals_of_a_run_are_the_sums_over_its_turns(evaluation, run):
    work_all(evaluation, shell("ls alerts"), write(), finish())
    run.refresh_from_db()
    assert (run.turns_total, run.cost_usd) == (3, 0.75)
    assert (run.input_tokens, run.cache_read_tokens, run.cache_write_tokens) == (300, 40, 10)
    assert (run.output_tokens, run.reasoning_tokens) == (30, 6)
    assert run.duration_s > 3.0
    assert run.tokens_known


def test_one_turn_of_unknown_cost_makes_the_cost_of_the_run_unknown(evaluation, run):
    work_all(evaluation, shell("true", cost_usd=None), write(), finish())
    run.refresh_from_db()
    assert run.cost_usd is None


def test_the_conversation_is_stored_turn_by_turn(evaluation, run):
    work_all(evaluation, shell("ls alerts"), write(), finish())
    turns = store.load_turns(run)
    assert [turn.reply.tool_calls[0].name for turn in turns] == ["run_shell", "run_shell", "finish"]
    assert "one.json" in turns[0].observations[0].output
    assert bytes(run.__class__.objects.get(pk=run.pk).submission).startswith(b'{"contributing')


def test_a_wrong_answer_scores_0_and_is_no_error(evaluation):
    work_all(evaluation, write(WRONG_ANSWER), finish())
    assert set(Grade.objects.values_list("score", "outcome")) == {(0.0, "missed")}


def test_a_run_that_meets_the_turn_cap_has_no_answer_and_scores_0(evaluation):
    work_all(evaluation, *[shell("true")] * 10)
    assert set(Grade.objects.values_list("score", "outcome")) == {(0.0, "no_answer")}
    assert set(Run.objects.values_list("stop_reason", flat=True)) == {"turn_cap"}


def test_names_and_ids_of_any_length_are_stored(evaluation, run):
    odd = Reply("", (ToolCallMade("i" * 5000, "t" * 5000, "{}"),), finish_reason="f" * 500)
    work_all(evaluation, odd, write(), finish())
    run.refresh_from_db()
    assert (run.state, run.error) == ("ended", "")
    assert ToolCall.objects.filter(turn__run=run).order_by("pk").first().call_id == "i" * 5000


def test_a_provider_that_fails_makes_the_run_errored_and_never_a_score(evaluation):
    work_all(evaluation, shell("true"), ModelError("no quota left"))
    assert set(Run.objects.values_list("state", "error")) == {("errored", "ModelError: no quota left")}
    assert not Grade.objects.exists()
    assert evaluation.state == EvaluationState.ENDED


def test_errored_runs_alone_are_retried_from_their_last_saved_turn(evaluation, run):
    work_all(evaluation, shell("echo 1 > kept"), ModelError("down"))
    assert runner.retry_errored(evaluation) == 2
    work_all(evaluation, shell("never asked again"), shell("cat kept"), write(), finish())
    run.refresh_from_db()
    assert (run.state, run.attempt, run.turns_total) == ("ended", 2, 4)
    commands = (
        ToolCall.objects.filter(turn__run=run).order_by("turn__number").values_list("command", flat=True)
    )
    assert list(commands)[:2] == ["echo 1 > kept", "cat kept"]
    assert run.note == "Taken up after turn 1."


def test_when_nothing_works_the_evaluation_pauses_instead_of_failing_run_by_run(benchmark_of_two, baseline):
    request = runner.EvaluationRequest(benchmark_of_two, baseline, repeats=20, sandbox="process")
    evaluation = runner.plan(request)
    work_all(evaluation, ModelError("the key is wrong"))
    assert evaluation.state == EvaluationState.PAUSED
    assert evaluation.reason == "The first 5 runs all errored, the last with ModelError: the key is wrong"
    assert evaluation.runs.filter(state="queued").count() == 35


def test_a_cost_limit_pauses_the_evaluation_and_raising_it_goes_on(evaluation):
    evaluation.cost_limit_usd = 0.5
    evaluation.save()
    work_all(evaluation, shell("true"), shell("true"), write(), finish())
    assert (evaluation.state, evaluation.reason) == ("paused", "The cost limit is reached: $0.50 of $0.50")
    assert not evaluation.runs.exclude(state="queued").exists()
    evaluation.cost_limit_usd = 50
    evaluation.save()
    runner.resume(evaluation)
    work_all(evaluation, shell("true"), shell("true"), write(), finish())
    assert evaluation.state == EvaluationState.ENDED
    assert set(evaluation.runs.values_list("turns_total", flat=True)) == {4}


def test_cancelling_ends_what_is_queued(evaluation):
    runner.cancel(evaluation, "a slip")
    assert set(evaluation.runs.values_list("state", flat=True)) == {"cancelled"}
    assert not runner.work(evaluation.pk, HERE, openers(finish()))


def test_no_more_runs_than_the_concurrency_are_claimed(benchmark_of_two, baseline):
    request = runner.EvaluationRequest(benchmark_of_two, baseline, sandbox="process", concurrency=3)
    evaluation = runner.plan(request)
    claims = [claim_next(evaluation.pk, f"host/1:{n}:1") for n in range(5)]
    assert [claim is not None for claim in claims] == [True, True, True, False, False]
    assert len({claim.run_id for claim in claims if claim}) == 3


def test_every_task_is_tried_once_before_any_is_tried_again(benchmark_of_two, baseline):
    request = runner.EvaluationRequest(benchmark_of_two, baseline, sandbox="process", concurrency=4)
    evaluation = runner.plan(request)
    claimed = [Run.objects.get(pk=claim_next(evaluation.pk, HERE).run_id) for _ in range(4)]
    assert [(run.repeat, run.task.slug) for run in claimed] == [
        (1, "scenario-1"),
        (1, "scenario-2"),
        (2, "scenario-1"),
        (2, "scenario-2"),
    ]


def test_the_run_of_a_worker_that_is_gone_from_this_machine_is_released_at_once(evaluation):
    claim_next(evaluation.pk, DEAD)
    assert runner.release_lost() == 1
    assert claim_next(evaluation.pk, HERE).attempt == 2


def test_the_run_of_a_silent_worker_elsewhere_is_released_after_a_while(evaluation, settings):
    claim_next(evaluation.pk, ELSEWHERE)
    assert runner.release_lost() == 0
    later = timezone.now() + timedelta(seconds=settings.ITBENCH_LOST_AFTER_S + 1)
    assert runner.release_lost(later) == 1


def test_the_run_of_a_living_worker_is_left_alone(evaluation):
    claim_next(evaluation.pk, HERE)
    assert runner.release_lost() == 0


def test_a_worker_that_lost_its_run_can_write_nothing_more(evaluation):
    old = claim_next(evaluation.pk, DEAD)
    runner.release_lost()
    new = claim_next(evaluation.pk, HERE)
    assert new.run_id == old.run_id
    with pytest.raises(LostClaim):
        store.save_reply(old, TurnRecord(1, shell("true")))
    assert not Run.objects.get(pk=old.run_id).turns.exists()
    store.save_reply(new, TurnRecord(1, shell("true")))
    with pytest.raises(LostClaim):
        store.save_observations(old, TurnRecord(1, shell("true"), (Observation("call", "out"),)))


def test_a_run_lost_in_the_middle_of_a_turn_is_finished_without_paying_for_the_turn_again(evaluation):
    lost = claim_next(evaluation.pk, DEAD)
    store.save_reply(lost, TurnRecord(1, shell("echo 1 > kept")))
    store.save_observations(
        lost, TurnRecord(1, shell("echo 1 > kept"), (Observation("call", "x", "echo 1 > kept"),))
    )
    store.save_reply(lost, TurnRecord(2, shell("cat kept")))
    runner.release_lost()
    assert runner.work(evaluation.pk, HERE, openers(shell("no"), shell("no"), write(), finish()))
    run = Run.objects.get(pk=lost.run_id)
    assert (run.state, run.turns_total, run.attempt) == ("ended", 4, 2)
    assert "<stdout>\n1\n</stdout>" in ToolCall.objects.get(turn__run=run, turn__number=2).output
    assert run.note.startswith("Taken up after turn 1. Run again, commands of turn 1 gave another output")


def test_a_pause_leaves_the_run_where_it_is_and_resuming_pays_for_nothing_twice(evaluation, run):
    class PausingModel:
        context_window = None

        def reply(self, messages, tools):
            runner.pause(evaluation, "a look")
            return shell("echo 1 > kept")

    assert runner.work(evaluation.pk, HERE, runner.Openers(model=lambda _: PausingModel()))
    run.refresh_from_db()
    assert (run.state, run.turns_total, evaluation.state) == ("queued", 1, "paused")
    runner.resume(evaluation)
    work_all(evaluation, shell("no"), shell("cat kept"), write(), finish())
    run.refresh_from_db()
    assert (run.state, run.turns_total) == ("ended", 4)


def test_a_ground_truth_that_cant_be_read_is_our_failure(evaluation):
    evaluation.benchmark.tasks.update(ground_truth_text="groups: []")
    work_all(evaluation, write(), finish())
    assert set(Run.objects.values_list("state", flat=True)) == {"errored"}
    assert "GroundTruthFormatError" in Run.objects.first().error


def test_a_bug_of_ours_is_an_errored_run_not_a_dead_worker(evaluation):
    work_all(evaluation, ZeroDivisionError("division by zero"))
    assert set(Run.objects.values_list("error", flat=True)) == {"ZeroDivisionError: division by zero"}


def test_saving_a_turn_takes_as_many_queries_for_the_last_as_for_the_first(
    evaluation, django_assert_num_queries
):
    claim = claim_next(evaluation.pk, HERE)
    for number in (1, 400):
        with django_assert_num_queries(5):  # savepoint, totals, turn, calls, release
            store.save_reply(claim, TurnRecord(number, shell("true")))
        turn = TurnRecord(number, shell("true"), (Observation("call", "out"),))
        with django_assert_num_queries(4):
            store.save_observations(claim, turn)


def test_only_workers_whose_heart_beats_count_as_alive():
    Worker.objects.create(name=HERE, seen_at=timezone.now())
    Worker.objects.create(name=DEAD, seen_at=timezone.now())
    Worker.objects.create(name=ELSEWHERE, seen_at=timezone.now() - timedelta(hours=1))
    assert [worker.name for worker in runner.live_workers()] == [HERE]
