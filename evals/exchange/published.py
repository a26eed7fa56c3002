"""Figures that somebody else published, from JSON files: models.json and one file a source."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from django.db import transaction

from evals.models import Benchmark, LanguageModel, PublishedResult

SHIPPED = Path(__file__).resolve().parent.parent / "published"


class PublishedFormatError(ValueError):
    """A file is not as expected; the message names the file, the place and what was expected."""


@dataclass(frozen=True)
class PublishedModel:
    slug: str
    name: str
    setting: str  # empty: the source names none
    creator: str
    open_weights: bool | None
    reasoning: bool | None
    released: str | None  # a day, 2026-04-16; None: not known to the day


@dataclass(frozen=True)
class Figures:
    """What a source says of one model; None: it says nothing."""

    model: str  # slug of a PublishedModel
    score: float  # 0 to 1
    cost_per_task_usd: float | None
    turns_per_task: float | None
    as_of: str = ""  # empty: as the file says
    agent: str = ""
    score_per_task: dict[str, float] | None = None


@dataclass(frozen=True)
class Source:
    """One file: a benchmark and what one publisher said of models on it."""

    benchmark: dict[str, Any]  # fields of Benchmark
    source_name: str
    source_url: str
    as_of: str | None  # None: each result says its own
    note: str
    results: list[Figures]


@dataclass(frozen=True)
class LoadReport:
    benchmarks: int
    made: int
    updated: int
    unchanged: int


def load_published(folder: Path = SHIPPED) -> LoadReport:
    """Put the figures of a folder into the database, all or none; a second call changes nothing.

    Benchmarks and language models that are already there keep what an operator made of them.

    Raises:
        PublishedFormatError: a file can't be read as expected.
    """
    known = {model.slug: model for model in read_models(folder / "models.json")}
    sources = [read_source(path, known) for path in sorted(folder.glob("*.json")) if path.stem != "models"]
    with transaction.atomic():
        made_or_changed = [
            store(figures, source, known[figures.model]) for source in sources for figures in source.results
        ]
    return LoadReport(
        benchmarks=len({source.benchmark["slug"] for source in sources}),
        made=made_or_changed.count("made"),
        updated=made_or_changed.count("updated"),
        unchanged=made_or_changed.count("unchanged"),
    )


def read_models(path: Path) -> list[PublishedModel]:
    rows = read_json(path).get("models")
    if not isinstance(rows, list):
        raise PublishedFormatError(f"{path}: expected a list under 'models'")
    models = [build(PublishedModel, row, f"{path}: models[{n}]") for n, row in enumerate(rows)]
    for n, model in enumerate(models):
        if model.released is not None:
            check_day(model.released, f"{path}: models[{n}]")
    return models


def read_source(path: Path, known: dict[str, PublishedModel]) -> Source:
    document = read_json(path)
    rows = document.get("results")
    if not isinstance(rows, list):
        raise PublishedFormatError(f"{path}: expected a list under 'results'")
    figures = [build(Figures, row, f"{path}: results[{n}]") for n, row in enumerate(rows)]
    source = build(Source, {**document, "results": figures}, str(path))
    if not isinstance(source.benchmark, dict) or not source.benchmark.get("slug"):
        raise PublishedFormatError(f"{path}: expected the fields of a benchmark, its slug among them")
    for n, row in enumerate(figures):
        check_figures(row, source, known, f"{path}: results[{n}]")
    return source


def check_figures(figures: Figures, source: Source, known: dict[str, PublishedModel], place: str) -> None:
    if figures.model not in known:
        raise PublishedFormatError(f"{place}: model {figures.model!r} is not in models.json")
    if not isinstance(figures.score, int | float) or not 0 <= figures.score <= 1:
        raise PublishedFormatError(f"{place}: score is {figures.score!r}, expected a number from 0 to 1")
    if not figures.as_of and not source.as_of:
        raise PublishedFormatError(f"{place}: expected as_of here or for the whole file")


def check_day(text: str, place: str) -> None:
    try:
        date.fromisoformat(text)
    except (TypeError, ValueError) as problem:
        raise PublishedFormatError(
            f"{place}: released is {text!r}, expected a day such as 2026-04-16"
        ) from problem


def read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise PublishedFormatError(f"{path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise PublishedFormatError(f"{path}: expected JSON ({problem})") from problem
    if not isinstance(document, dict):
        raise PublishedFormatError(f"{path}: expected a JSON object")
    return document


Row = TypeVar("Row", PublishedModel, Figures, Source)


def build(kind: type[Row], row: Any, place: str) -> Row:
    try:
        return kind(**row)
    except TypeError as problem:
        names = ", ".join(field.name for field in fields(kind))
        raise PublishedFormatError(f"{place}: expected an object with the keys {names}") from problem


def store(figures: Figures, source: Source, model: PublishedModel) -> str:
    """Return "made", "updated" or "unchanged"."""
    slug = source.benchmark["slug"]
    benchmark, _ = Benchmark.objects.get_or_create(slug=slug, defaults=source.benchmark)
    language_model, _ = LanguageModel.objects.get_or_create(slug=model.slug, defaults=asdict(model))
    values = {
        "score": figures.score,
        "cost_per_task_usd": figures.cost_per_task_usd,
        "turns_per_task": figures.turns_per_task,
        "score_per_task": figures.score_per_task,
        "source_name": source.source_name,
    }
    result, made = PublishedResult.objects.get_or_create(
        benchmark=benchmark,
        language_model=language_model,
        agent=figures.agent,
        as_of=figures.as_of or source.as_of,
        source_url=source.source_url,
        defaults=values,
    )
    if made:
        return "made"
    if all(getattr(result, name) == value for name, value in values.items()):
        return "unchanged"
    PublishedResult.objects.filter(pk=result.pk).update(**values)
    return "updated"
