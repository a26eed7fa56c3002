"""A board for spreadsheets and for the Hugging Face Hub."""

import csv
import io

import pytest
import yaml
from huggingface_hub import parse_eval_result_entries

from tests.factories import make_benchmark, make_evaluation, make_model, make_run

pytestmark = pytest.mark.django_db

BOARD = "/api/v1/benchmarks/b/board/"


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"))))


def test_a_csv_has_the_rows_of_the_board(client, site):
    answer = client.get(f"{BOARD}?format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows, expected = rows_of(answer), client.get(BOARD).json()["rows"]
    assert [list(row) for row in rows] == [list(row) for row in expected]
    for row, own in zip(rows, expected, strict=True):
        assert row == {name: "" if value is None else str(value) for name, value in own.items()}


def test_a_csv_without_rows_still_names_its_columns(client):
    make_benchmark(slug="b")
    assert client.get(f"{BOARD}?format=csv").content.startswith(b"url,page,model,name,creator,")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_is_no_formula_in_a_spreadsheet(client, site, sign):
    model = make_model(slug="third", name=f"{sign}HYPERLINK(0)", creator=f"{sign}1, \u00c4\n\u4e2d")
    make_run(make_evaluation(benchmark=site.benchmark, language_model=model))
    row = next(row for row in rows_of(client.get(f"{BOARD}?format=csv")) if row["model"] == "third")
    assert row["name"] == f"'{sign}HYPERLINK(0)"
    assert row["creator"].startswith("'")
    assert row["creator"].endswith("1, \u00c4\n\u4e2d")


def test_the_accept_header_chooses_a_format_too(client, site):
    assert client.get(BOARD, headers={"Accept": "text/csv"})["Content-Type"].startswith("text/csv")
    answer = client.get(f"{BOARD}?format=csv", headers={"Accept": "application/json"})
    assert answer["Content-Type"].startswith("text/csv")


def test_the_hub_reads_the_entries_of_a_board(client, site):
    site.benchmark.source_url = "https://huggingface.co/datasets/Makers/Incidents"
    site.benchmark.save()
    answer = client.get(f"{BOARD}?format=eval-results")
    assert answer["Content-Type"] == "application/yaml; charset=utf-8"
    first, second = parse_eval_result_entries(yaml.safe_load(answer.content))
    assert (first.dataset_id, first.task_id, first.value, second.value) == (
        "Makers/Incidents",
        "b",
        91.67,
        25.0,
    )
    assert first.date == f"{site.evaluations[0].ended_at:%Y-%m-%d}"
    assert first.source_url == f"http://testserver{site.evaluations[0].get_absolute_url()}"
    assert first.notes.startswith("First; percent by aa-precision; 3 repeats a task; 95 % interval ")


def test_a_benchmark_from_elsewhere_is_named_by_its_slug(client, site):
    (first, *_) = yaml.safe_load(client.get(f"{BOARD}?format=eval-results").content)
    assert first["dataset"] == {"id": "b", "task_id": "b"}


def test_a_model_without_a_score_has_no_entry(client, site):
    evaluation = make_evaluation(benchmark=site.benchmark, language_model=make_model())
    make_run(evaluation, site.tasks[0], None)
    assert len(client.get(BOARD).json()["rows"]) == 3
    assert len(yaml.safe_load(client.get(f"{BOARD}?format=eval-results").content)) == 2


def test_a_name_cannot_leave_its_place_in_the_yaml(client, site):
    model = site.evaluations[0].language_model
    model.name = "x\n- dataset: {id: other}\n# '\" : {"
    model.save()
    entries = yaml.safe_load(client.get(f"{BOARD}?format=eval-results").content)
    assert len(entries) == 2
    assert entries[0]["notes"].startswith(model.name)
