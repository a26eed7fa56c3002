"""What `manage.py demo` shows: sample incidents, the built-in baselines, and an account for the admin."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.utils import timezone

from evals import jobs, runner
from evals.exchange.published import load_published
from evals.models import Benchmark, Evaluation, GradeOutcome, LanguageModel
from evals.queries import evaluation_summary

BENCHMARK = "samples"
INCIDENTS = {"count": 12, "seed": 1}
ADMIN = "admin"

# Slug, which is also the name at the provider "baseline", and what a reader should know of it.
BASELINES = {
    "loudest": "Loudest alert",
    "detective": "Rule-based detective",
    "exhaustive": "Exhaustive reader",
}


@dataclass(frozen=True)
class Account:
    name: str
    password: str | None  # None: somebody has changed it since, so only they know it


def prepare(tell: Callable[[str], object]) -> Account:
    """Bring database, static files, incidents and models to where the demo begins; what is there stays."""
    tell("Preparing the database and the pages ...")
    call_command("migrate", verbosity=0, interactive=False)
    collect_static_files()
    load_published()
    folder = settings.ITBENCH_DATA_DIR / "sample-incidents"
    if not folder.is_dir():
        tell(f"Making {INCIDENTS['count']} sample incidents ...")
        make_incidents(folder)
    import_incidents(folder)
    register_baselines()
    return admin_account()


def collect_static_files() -> None:
    """Collect and compress, which takes ten seconds, where a file is not as it was the last time."""
    noted = settings.ITBENCH_DATA_DIR / "static-collected-from"
    found = [
        f"{path} {storage.size(path)} {storage.get_modified_time(path).timestamp()}"
        for finder in get_finders()
        for path, storage in finder.list([])
    ]
    fingerprint = hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
    collected = (settings.STATIC_ROOT / "staticfiles.json").is_file()
    if collected and noted.is_file() and noted.read_text() == fingerprint:
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    noted.write_text(fingerprint)


def make_incidents(folder: Path) -> None:
    # Under another name until it is whole: an interrupted demo must not leave half a benchmark.
    unfinished = folder.with_name(folder.name + ".unfinished")
    call_command("make_incidents", out=str(unfinished), stdout=StringIO(), **INCIDENTS)
    unfinished.rename(folder)


def import_incidents(folder: Path) -> None:
    call_command("import_benchmark", str(folder), slug=BENCHMARK, name="Sample incidents", stdout=StringIO())


def register_baselines() -> None:
    today = timezone.now().date()
    for slug, name in BASELINES.items():
        LanguageModel.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "creator": "Built in",
                "litellm_model": f"baseline/{slug}",
                "reasoning": False,
                "price_input": 0,
                "price_output": 0,
                "price_cache_read": 0,
                "price_cache_write": 0,
                "prices_as_of": today,
            },
        )


def admin_account() -> Account:
    """Return the admin's account, made with a password of its own on the first call."""
    file = settings.ITBENCH_DATA_DIR / "admin-password"
    user_model = get_user_model()
    user = user_model.objects.filter(username=ADMIN).first()
    if user is None:
        password = secrets.token_urlsafe(12)
        write_private(file, password)
        user_model.objects.create_superuser(ADMIN, password=password)
        return Account(ADMIN, password)
    kept = file.read_text() if file.is_file() else ""
    return Account(ADMIN, kept if kept and user.check_password(kept) else None)


def write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)


def queue_evaluations(repeats: int) -> list[Evaluation]:
    """Return one evaluation a baseline, queued where there was none."""
    benchmark = Benchmark.objects.get(slug=BENCHMARK)
    models = [LanguageModel.objects.get(slug=slug) for slug in BASELINES]
    return [evaluation_of(benchmark, model, repeats) for model in models]


def evaluation_of(benchmark: Benchmark, model: LanguageModel, repeats: int) -> Evaluation:
    found = Evaluation.objects.filter(benchmark=benchmark, language_model=model).first()
    if found is not None:
        return found
    planned = runner.plan(
        runner.EvaluationRequest(benchmark=benchmark, language_model=model, repeats=repeats)
    )
    jobs.enqueue(planned)
    return planned


def result_line(evaluation: Evaluation) -> str:
    summary = evaluation_summary(evaluation)
    outcomes = [
        f"{summary.outcomes[outcome]} {GradeOutcome(outcome).label}"
        for outcome in GradeOutcome.values
        if summary.outcomes.get(outcome)
    ]
    errored = [f"{summary.errored} errored"] if summary.errored else []
    mean = "no score" if summary.mean is None else f"{summary.mean:6.1%}"
    return f"{evaluation.language_model.name:<22} {mean}  {evaluation.state}: {', '.join(outcomes + errored)}"
