"""A run that goes out as ATIF and is imported again is the same run, field by field."""

import pytest
from django.utils import timezone

from evals.exchange.atif_writer import atif_pieces
from evals.models import Run, ToolCall, Turn
from evals.runner.grades import grade_run
from evals.runner.importing import ImportWish, import_runs
from tests.factories import RIGHT_ANSWER, make_benchmark, make_evaluation, make_model, make_run, make_task

pytestmark = pytest.mark.django_db

OF_RUN = (
    "state", "stop_reason", "finish_reason", "turns_total", "input_tokens", "cache_read_tokens",
    "cache_write_tokens", "output_tokens", "tokens_known", "started_at", "ended_at",
)  # fmt: skip
OF_TURN = (
    "number", "kind", "message", "reasoning", "finish_reason", "provider_fields", "input_tokens",
    "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "cost_usd", "model_s",
    "started_at",
)  # fmt: skip
OF_CALL = (
    "turn__number", "number", "call_id", "tool", "arguments", "command", "output", "output_bytes",
    "exit_code", "timed_out", "duration_s",
)  # fmt: skip
SAID = (("reply", "I look."), ("summary", "So far."), ("reply", ""))


@pytest.fixture
def run():
    evaluation = make_evaluation(benchmark=make_benchmark(slug="b"), language_model=make_model(name="GPT X"))
    task = make_task(evaluation.benchmark, slug="scenario-1")
    totals = {"input_tokens": 300, "cache_read_tokens": 20, "cache_write_tokens": 3, "output_tokens": 30}
    ended = {"turns_total": 2, "cost_usd": None, "submission": RIGHT_ANSWER, "finish_reason": "Done."}
    run = make_run(evaluation, task, **totals, **ended)
    used = {"input_tokens": 100, "cache_read_tokens": 10, "cache_write_tokens": 1, "output_tokens": 10,
            "reasoning_tokens": 4}  # fmt: skip
    for number, (kind, message) in enumerate(SAID, start=1):
        turn = Turn.objects.create(
            run=run, number=number, kind=kind, message=message, reasoning="Hm\x1b[31m ☃", model_s=1.25,
            cost_usd=None if number == 2 else 0.125, finish_reason="tool_calls", started_at=timezone.now(),
            provider_fields={"signature": "abc"}, **used,
        )  # fmt: skip
        for place in range(1, 3 if number == 1 else 2):
            ToolCall.objects.create(
                turn=turn, number=place, call_id=f"c{number}-{place}", tool="run_shell",
                arguments='{"cmd": broken' if place == 2 else '{"cmd": "ls"}',
                command="ls" if place == 1 else "",
                output="<b>\t\x1b[0m flagd-config\n", output_bytes=99, exit_code=2, timed_out=place == 2,
                duration_s=0.5,
            )  # fmt: skip
    grade_run(run)
    return run


def told(run):
    return {field: getattr(run, field) for field in OF_RUN} | {"submission": bytes(run.submission)}


def calls_of(run):
    return list(ToolCall.objects.filter(turn__run=run).order_by("turn", "number").values_list(*OF_CALL))


def test_nothing_is_lost_on_the_way_out_and_in(run, tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(b"".join(atif_pieces(run)))
    (report,) = import_runs(path, path.name, ImportWish(benchmark="b"), lambda _: None)
    assert report.sentence == "1 run, 1 graded"
    again = Run.objects.get(pk=report.runs[0])
    assert told(again) == told(run)
    assert list(again.turns.values_list(*OF_TURN)) == list(run.turns.values_list(*OF_TURN))
    assert calls_of(again) == calls_of(run)
    assert (again.task, again.evaluation.language_model) == (run.task, run.evaluation.language_model)
    grades = [each.grades.values_list("score", "verdicts", "sightings").get() for each in (run, again)]
    assert grades[0] == grades[1]
    assert again.cost_usd is None


def test_an_answer_that_was_never_handed_in_comes_back_as_that(run, tmp_path):
    Run.objects.update(submission=None, unsubmitted=b"\xff half an answer", stop_reason="turn_cap")
    run.refresh_from_db()
    path = tmp_path / "run.json"
    path.write_bytes(b"".join(atif_pieces(run)))
    (report,) = import_runs(path, path.name, ImportWish(benchmark="b"), lambda _: None)
    again = Run.objects.get(pk=report.runs[0])
    assert (again.submission, bytes(again.unsubmitted), again.stop_reason) == (
        None,
        b"\xff half an answer",
        "turn_cap",
    )
