from dataclasses import replace

import pytest

from evals.models import Evaluation, Run
from evals.runner import EvaluationRequest, PlanError, plan, preflight
from tests.factories import make_benchmark, make_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of_two(benchmark_of_two, baseline) -> EvaluationRequest:
    return EvaluationRequest(benchmark_of_two, baseline, sandbox="process")


def test_a_plan_queues_every_task_as_often_as_the_benchmark_says(request_of_two):
    evaluation = plan(request_of_two)
    planned = evaluation.runs.values_list("task__slug", "repeat", "state")
    assert sorted(planned) == [
        (slug, repeat, "queued") for slug in ("scenario-1", "scenario-2") for repeat in (1, 2)
    ]
    assert (evaluation.turn_cap, evaluation.state) == (10, "queued")


def test_a_plan_keeps_what_it_was_made_with(request_of_two):
    evaluation = plan(request_of_two)
    assert evaluation.manifest["packages"]["django"].startswith("5.2")
    assert evaluation.manifest["litellm_model"] == "baseline/detective"
    assert evaluation.manifest["prices_per_million_tokens_usd"]["input"] == 0
    assert "$turn_cap" in evaluation.prompt_text


def test_only_the_named_tasks_are_planned(request_of_two):
    evaluation = plan(replace(request_of_two, tasks=("scenario-2", "scenario-2"), repeats=1))
    assert [run.task.slug for run in evaluation.runs.all()] == ["scenario-2"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"repeats": 0}, "repeats is 0: use 1 to 100"),
        ({"repeats": 101}, "repeats is 101"),
        ({"turn_cap": -1}, "turn cap is -1"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"cost_limit_usd": 0}, "cost limit is 0"),
        ({"cost_limit_usd": float("nan")}, "cost limit is nan"),
        ({"tasks": ("scenario-9",)}, "no task scenario-9: it has scenario-1, scenario-2"),
        ({"sandbox": "chroot"}, "There is no sandbox 'chroot'. Use docker, bubblewrap, process"),
    ],
)
def test_a_request_out_of_bounds_is_refused_with_a_sentence_and_nothing_is_stored(
    request_of_two, change, told
):
    with pytest.raises(PlanError) as refused:
        plan(replace(request_of_two, **change))
    assert told in str(refused.value)
    assert not Evaluation.objects.exists()
    assert not Run.objects.exists()


def test_a_language_model_never_runs_in_the_process_sandbox(request_of_two):
    model = make_model(litellm_model="hosted_vllm/qwen", api_base="http://localhost:8000/v1")
    with pytest.raises(PlanError, match="never run outside a sandbox"):
        plan(replace(request_of_two, language_model=model))


def test_a_missing_key_is_named_and_its_value_never_asked_for(request_of_two, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    model = make_model(litellm_model="anthropic/claude-opus-4-7")
    with pytest.raises(PlanError, match="ANTHROPIC_API_KEY is not set"):
        plan(replace(request_of_two, language_model=model, sandbox="bubblewrap"))


def test_a_model_known_by_published_results_only_cant_be_evaluated(request_of_two):
    with pytest.raises(PlanError, match="known by published results only"):
        plan(replace(request_of_two, language_model=make_model(litellm_model="")))


def test_a_cost_limit_needs_a_price(request_of_two):
    model = make_model(litellm_model="hosted_vllm/mine", api_base="http://localhost:8000/v1")
    request = replace(request_of_two, language_model=model, cost_limit_usd=5.0)
    checks = {check.name: check for check in preflight(request)}
    assert not checks["price"].ready
    assert "unknown" in checks["price"].detail
    model.price_input, model.price_output = 1.0, 2.0
    assert {check.name: check for check in preflight(request)}["price"].ready


def test_a_benchmark_without_tasks_says_how_to_get_some(request_of_two):
    with pytest.raises(PlanError, match="import_benchmark FOLDER --slug empty"):
        plan(replace(request_of_two, benchmark=make_benchmark(slug="empty")))


def test_files_that_are_gone_are_named(request_of_two):
    request_of_two.benchmark.tasks.filter(slug="scenario-1").update(snapshot_path="/nowhere")
    with pytest.raises(PlanError, match="The files of scenario-1 are not where"):
        plan(request_of_two)


def test_a_prompt_file_of_ones_own_is_stored_with_its_hash(request_of_two, tmp_path):
    file = tmp_path / "short.md"
    file.write_text("Find it in $turn_cap turns.")
    evaluation = plan(replace(request_of_two, prompt_file=file))
    assert (evaluation.prompt_name, evaluation.prompt_text) == ("short", "Find it in $turn_cap turns.")
    assert len(evaluation.prompt_sha256) == 64
