"""What is ready on this machine and what is not, in words for the person who runs the site."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from huey.contrib.djhuey import HUEY

from evals import runner
from evals.llm.keys import KEY_VARIABLES, missing_key_variables
from evals.models import Benchmark, LanguageModel, SandboxKind
from evals.runner import Check
from evals.runner.opening import model_settings
from evals.sandbox import catalogue


def machine_checks() -> list[Check]:
    """Check what can be told without the tables."""
    return [check_data_folder(), check_debug(), check_database(), check_queue(), check_browser_libraries()]


def table_checks(environment: Mapping[str, str] = os.environ) -> list[Check]:
    """Check what only the tables can tell; they must be there."""
    return [check_workers(), check_benchmarks(), check_models(environment), check_keys(environment)]


def sandbox_checks() -> list[Check]:
    found = [catalogue.check(kind, settings.ITBENCH_SANDBOX_IMAGE) for kind in SandboxKind.values]
    return [Check(f"sandbox {one.kind}", one.ready, one.detail, one.remedy) for one in found]


def check_data_folder() -> Check:
    folder = settings.ITBENCH_DATA_DIR
    writable = os.access(folder, os.W_OK | os.X_OK)
    detail = f"{folder} is {'' if writable else 'not '}writable"
    return Check(
        "data folder", writable, detail, "" if writable else "Set ITBENCH_DATA_DIR to a folder of yours"
    )


def check_debug() -> Check:
    if not settings.DEBUG:
        return Check("settings", ready=True, detail="all values can be used")
    remedy = "Take ITBENCH_DEBUG out where others can reach this site"
    return Check(
        "settings", ready=True, detail="all values can be used; error pages show code", remedy=remedy
    )


def check_database() -> Check:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as problem:
        remedy = "Start the server that DATABASE_URL names, or mend DATABASE_URL"
        return Check("database", ready=False, detail=one_line(problem), remedy=remedy)
    if waiting:
        detail = f"{connection.display_name}: {len(waiting)} migrations are not applied"
        return Check("database", ready=False, detail=detail, remedy="manage.py migrate")
    return Check("database", ready=True, detail=f"{connection.display_name}, all migrations applied")


def check_queue() -> Check:
    kind = "Redis" if settings.REDIS_URL else "SQLite"
    try:
        waiting = HUEY.pending_count()
    # Huey hands on whatever its storage raises: sqlite3's errors, redis's, the operating system's.
    except Exception as problem:
        remedy = "Start the server that REDIS_URL names, or mend REDIS_URL"
        return Check("queue", ready=False, detail=f"{kind}: {one_line(problem)}", remedy=remedy)
    return Check("queue", ready=True, detail=f"{kind}, {waiting} jobs waiting")


def check_browser_libraries() -> Check:
    missing = [name for name, path in settings.BROWSER_LIBRARIES.items() if not Path(path).is_dir()]
    if missing:
        detail = f"{', '.join(missing)} not installed: pages show tables without charts and replays"
        return Check("browser libraries", ready=False, detail=detail, remedy="make env")
    if not (settings.STATIC_ROOT / "staticfiles.json").is_file():
        remedy = "manage.py collectstatic --no-input"
        return Check("browser libraries", ready=False, detail="not collected yet", remedy=remedy)
    return Check("browser libraries", ready=True, detail=", ".join(settings.BROWSER_LIBRARIES))


def check_workers() -> Check:
    workers = runner.live_workers()
    if not workers:
        remedy = "make worker, or manage.py run_huey (manage.py evaluate --wait does without)"
        return Check("worker", ready=False, detail="none has been heard of", remedy=remedy)
    latest = max(worker.seen_at for worker in workers)
    ago = (timezone.now() - latest).total_seconds()
    threads = sum(worker.threads for worker in workers)
    detail = f"{len(workers)} alive with {threads} threads, last heard of {ago:.0f} s ago"
    return Check("worker", ready=True, detail=detail)


def check_benchmarks() -> Check:
    found = [
        f"{benchmark.slug} ({count} task{'s' if count > 1 else ''})"
        for benchmark in Benchmark.objects.all()
        if (count := sum(task.snapshot_folder.is_dir() for task in benchmark.tasks.all()))
    ]
    if found:
        return Check("benchmarks", ready=True, detail=", ".join(found))
    remedy = "manage.py import_benchmark FOLDER, or make demo for sample incidents"
    return Check("benchmarks", ready=False, detail="none with its tasks' files here", remedy=remedy)


def check_models(environment: Mapping[str, str]) -> Check:
    runnable: list[str] = []
    without_key: list[str] = []
    for model in LanguageModel.objects.exclude(litellm_model=""):
        missing = missing_key_variables(model_settings(model), environment)
        (without_key if missing else runnable).append(model.slug)
    lacking = f"; without a key: {', '.join(without_key)}" if without_key else ""
    if runnable:
        return Check("language models", ready=True, detail=", ".join(runnable) + lacking)
    remedy = "Add one in the admin with its LiteLLM model, or set its key"
    return Check("language models", ready=False, detail=f"none can be called{lacking}", remedy=remedy)


def check_keys(environment: Mapping[str, str]) -> Check:
    """Tell which keys are set, by name: a value is never shown."""
    usual = {name for names in KEY_VARIABLES.values() for name in names}
    named = LanguageModel.objects.exclude(api_key_variable="").values_list("api_key_variable", flat=True)
    found = [name for name in sorted({*usual, *named}) if environment.get(name, "").strip()]
    if found:
        return Check("provider keys", ready=True, detail=", ".join(found))
    remedy = "Set one, for example OPENAI_API_KEY, where server and worker start; local models need none"
    return Check("provider keys", ready=False, detail="none is set", remedy=remedy)


def one_line(problem: Exception) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__
