"""A seeded board is one that the site could have made itself, and its pages show it."""

from dataclasses import replace

import pytest
from django.db.models import Count, F, Sum

from benchmarks.scale import Scale, seed
from benchmarks.scale_turns import TURN_S
from evals.models import Benchmark, Evaluation, Grade, GradeOutcome, LanguageModel, Run, Task, ToolCall, Turn
from evals.runner.grades import grade_run
from evals.trajectory import StopReason

pytestmark = pytest.mark.django_db
TINY = Scale(models=25, public_tasks=6, held_out_tasks=3, repeats=2, turns=9_000)
TOKENS = ["input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"]


@pytest.fixture
def benchmark() -> Benchmark:
    return seed(TINY)


def test_there_is_as_much_of_everything_as_was_asked_for(benchmark):
    assert LanguageModel.objects.count() == 25
    assert dict(benchmark.tasks.values_list("split").annotate(Count("pk"))) == {"public": 6, "held_out": 3}
    assert Run.objects.count() == 25 * 9 * 2
    assert Turn.objects.count() == ToolCall.objects.count() == 9_000


def test_the_totals_of_a_run_are_the_sums_over_its_turns(benchmark):
    turns = Turn.objects.values("run")
    sums = turns.annotate(
        turns_total=Count("pk"),
        model_s=Sum("model_s"),
        cost=Sum("cost_usd"),
        **{f"all_{kind}": Sum(kind, default=0) for kind in TOKENS},
    )
    tool_s = dict(Run.objects.values_list("pk").annotate(Sum("turns__tool_calls__duration_s")))
    by_run = {row["run"]: row for row in sums}
    for run in Run.objects.all():
        row = by_run[run.pk]
        assert run.turns_total == row["turns_total"]
        assert [getattr(run, kind) for kind in TOKENS] == [row[f"all_{kind}"] for kind in TOKENS]
        assert run.cost_usd == (None if row["cost"] is None else pytest.approx(row["cost"]))
        assert run.duration_s == pytest.approx(row["model_s"] + tool_s[run.pk])


def test_turns_are_numbered_without_gaps_and_lie_within_their_run(benchmark):
    for run in Run.objects.prefetch_related("turns"):
        turns = list(run.turns.all())
        assert [turn.number for turn in turns] == list(range(1, run.turns_total + 1))
        assert turns[0].started_at == run.started_at
        assert (turns[-1].started_at - run.started_at).total_seconds() == TURN_S * (len(turns) - 1)
        assert run.evaluation.started_at <= run.started_at < run.ended_at <= run.evaluation.ended_at


def test_a_run_is_as_long_as_its_end_allows(benchmark):
    capped = Run.objects.filter(stop_reason=StopReason.TURN_CAP)
    assert set(capped.values_list("turns_total", flat=True)) == {benchmark.turn_cap}
    assert not Run.objects.filter(turns_total__gt=F("evaluation__turn_cap")).exists()


def test_cost_is_unknown_without_a_price_or_without_tokens_and_known_otherwise(benchmark):
    unknown = Run.objects.filter(cost_usd=None)
    models = LanguageModel.objects.filter(evaluations__runs__in=unknown).distinct()
    assert set(models.values_list("slug", flat=True)) == {"model-012", "model-024", "model-025"}
    assert set(unknown.filter(tokens_known=False).values_list(*TOKENS)) == {(0, 0, 0, 0, 0)}


def test_a_turn_costs_its_tokens_at_the_prices_of_its_model(benchmark):
    turn = Turn.objects.filter(number=3, run__evaluation__language_model__slug="model-001").first()
    model = turn.run.evaluation.language_model
    usd = (
        turn.input_tokens * model.price_input
        + turn.cache_read_tokens * model.price_cache_read
        + turn.cache_write_tokens * model.price_cache_write
        + turn.output_tokens * model.price_output
    ) / 1e6
    assert turn.cost_usd == pytest.approx(usd)
    assert usd > 0


def test_every_outcome_occurs_and_errored_runs_have_no_grade(benchmark):
    assert set(Grade.objects.values_list("outcome", flat=True)) == set(GradeOutcome.values)
    assert Run.objects.filter(state="errored").exists()
    assert set(Run.objects.filter(grades=None).values_list("state", flat=True)) == {"errored"}


def test_grading_the_stored_answers_again_changes_nothing(benchmark):
    before = list(Grade.objects.order_by("pk").values_list("pk", "score", "outcome", "verdicts", "missed"))
    for run in Run.objects.filter(state="ended").select_related("task"):
        grade_run(run)
    after = list(Grade.objects.order_by("pk").values_list("pk", "score", "outcome", "verdicts", "missed"))
    assert after == before


def test_what_is_stored_is_valid_for_the_admin_too(benchmark):
    for table in (Benchmark, LanguageModel, Evaluation, Run, Grade):
        for row in table.objects.all()[:20]:
            row.clean_fields(exclude=["manifest", "alert_summary", "verdicts", "missed", "notes"])


def facts() -> list[tuple]:
    """Return what is exact about each run; a sum of costs may differ in its last digit."""
    runs = Run.objects.order_by("evaluation__language_model__slug", "task__slug", "repeat")
    return list(
        runs.values_list("state", "stop_reason", "submission", "grades__score", "turns_total", *TOKENS)
    )


def test_a_seed_makes_the_same_numbers_again_and_another_makes_others(benchmark):
    first, usd = facts(), Run.objects.aggregate(Sum("cost_usd"))
    remove_everything()
    seed(TINY)
    assert facts() == first
    assert Run.objects.aggregate(Sum("cost_usd")) == pytest.approx(usd)
    remove_everything()
    seed(replace(TINY, seed=2))
    assert facts() != first


def remove_everything() -> None:
    for table in (Evaluation, Task, Benchmark, LanguageModel):
        table.objects.all().delete()


def test_the_pages_show_it(client, benchmark):
    board = client.get("/").content.decode()
    assert all(str(model) in board for model in LanguageModel.objects.all())
    run = Run.objects.filter(task__split="public", state="ended").first()
    pages = ["/models/model-001/", "/benchmarks/scale/tasks/", "/tasks/scale/scenario-1/"]
    for path in [*pages, run.get_absolute_url(), run.evaluation.get_absolute_url()]:
        assert client.get(path).status_code == 200, path
    assert "Turn 1: the evidence" in client.get(run.get_absolute_url()).content.decode()
