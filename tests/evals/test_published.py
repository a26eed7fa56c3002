"""Published figures are loaded as they were published, once, and kept apart from what is ours."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from evals.exchange.published import SHIPPED, PublishedFormatError, load_published
from evals.models import Benchmark, LanguageModel, PublishedResult, Run

SOURCES = Path(__file__).resolve().parents[3] / "shared" / "data" / "published"

pytestmark = pytest.mark.django_db


def result(model: str, as_of: str) -> PublishedResult:
    return PublishedResult.objects.get(language_model__slug=model, as_of=as_of)


def test_a_model_has_one_row_for_each_date_it_was_published_with():
    load_published()
    assert result("claude-opus-4.7-max", "2026-05-27").score == 0.47
    assert result("claude-opus-4.7-max", "2026-10").score == 0.466572504708098


def test_what_a_source_does_not_tell_stays_unknown():
    load_published()
    row = result("gpt-5.6-sol-max", "2026-10")
    assert (row.turns_per_task, row.cost_per_task_usd, row.score_per_task) == (30.84, None, None)


def test_the_score_of_the_40_public_tasks_is_the_mean_of_its_tasks():
    load_published()
    for row in PublishedResult.objects.filter(benchmark__slug="itbench-aa-public40-harbor"):
        assert len(row.score_per_task) == 40
        assert sum(row.score_per_task.values()) / 40 == pytest.approx(row.score, abs=1e-5)


def test_every_published_score_of_the_sources_is_loaded():
    if not SOURCES.is_dir():
        pytest.skip(f"no source files beside the project ({SOURCES.parent.name}/{SOURCES.name})")
    load_published()
    published = [row for file in SOURCES.glob("*.json") for row in json.loads(file.read_text())["results"]]
    loaded = PublishedResult.objects.values_list("score", "cost_per_task_usd", "turns_per_task")
    expected = [(row["score"], row["cost_per_task_usd"], row["turns_per_task"]) for row in published]
    assert sorted(loaded, key=str) == sorted(expected, key=str)


def test_every_result_names_its_source_by_a_link_and_a_date():
    load_published()
    for row in PublishedResult.objects.all():
        assert row.source_url.startswith("https://")
        assert row.as_of.startswith("2026-")


def test_loading_again_changes_nothing():
    first, second = load_published(), load_published()
    assert first.made == second.unchanged == PublishedResult.objects.count()
    assert (second.made, second.updated) == (0, 0)


def test_what_an_operator_made_of_a_model_or_a_benchmark_is_kept():
    load_published()
    LanguageModel.objects.filter(slug="gpt-5.5-xhigh").update(litellm_model="openai/gpt-5.5")
    Benchmark.objects.filter(slug="itbench-aa").update(description="Ours.")
    load_published()
    assert LanguageModel.objects.get(slug="gpt-5.5-xhigh").litellm_model == "openai/gpt-5.5"
    assert Benchmark.objects.get(slug="itbench-aa").description == "Ours."


def test_a_corrected_figure_is_updated():
    load_published()
    PublishedResult.objects.filter(as_of="2026-05-27").update(score=0.01)
    assert load_published().updated == 8
    assert not PublishedResult.objects.filter(score=0.01).exists()


def test_published_models_pass_the_checks_of_their_tables_and_make_no_runs():
    load_published()
    for row in (*LanguageModel.objects.all(), *Benchmark.objects.all(), *PublishedResult.objects.all()):
        row.full_clean()
    assert not Run.objects.exists()


def test_a_model_that_was_only_published_can_not_be_run():
    load_published()
    assert not any(model.can_run for model in LanguageModel.objects.all())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score": 47}, "score is 47, expected a number from 0 to 1"),
        ({"model": "nobody"}, "model 'nobody' is not in models.json"),
        ({"price": 1}, "expected an object with the keys model, score"),
    ],
)
def test_a_wrong_figure_is_refused_by_file_and_place_and_nothing_is_loaded(tmp_path, change, sentence):
    for file in SHIPPED.glob("*.json"):
        (tmp_path / file.name).write_text(file.read_text())
    file = tmp_path / "itbench-aa-2026-10.json"
    document = json.loads(file.read_text())
    document["results"][3] |= change
    file.write_text(json.dumps(document))
    with pytest.raises(PublishedFormatError, match=r"itbench-aa-2026-10\.json: results\[3\]: ") as problem:
        load_published(tmp_path)
    assert sentence in str(problem.value)
    assert not PublishedResult.objects.exists()


def test_the_command_reports_what_it_did(capsys):
    call_command("load_published")
    assert capsys.readouterr().out == "Published results on 2 benchmarks: 56 made, 0 updated, 0 unchanged.\n"


def test_the_command_answers_a_wrong_folder_with_one_sentence_and_code_2(tmp_path):
    with pytest.raises(CommandError, match=r"models\.json: No such file") as problem:
        call_command("load_published", str(tmp_path / "nowhere"))
    assert problem.value.returncode == 2
