"""From a wish to an evaluation with its queued runs, or to one sentence that says what is missing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from evals.agent.prompts import DEFAULT_PROMPT, Prompt, PromptFormatError, read_prompt
from evals.llm.keys import missing_key_variables
from evals.llm.prices import prices_of
from evals.models import Benchmark, Evaluation, LanguageModel, Run, SandboxKind, Task
from evals.runner.manifest import manifest_of
from evals.runner.opening import model_settings
from evals.sandbox import SandboxUnavailable, catalogue

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MOST = {"repeats": 100, "turn_cap": 10_000, "concurrency": 256, "run_time_limit_s": 7 * 24 * 3600}


class PlanError(ValueError):
    """This evaluation can't be planned; the message is one sentence for the person who asked."""


@dataclass(frozen=True)
class EvaluationRequest:
    """What somebody wants evaluated; None takes the benchmark's own rule."""

    benchmark: Benchmark
    language_model: LanguageModel
    repeats: int | None = None
    tasks: tuple[str, ...] = ()  # slugs; empty: every task
    turn_cap: int | None = None
    cost_limit_usd: float | None = None  # of the whole evaluation
    concurrency: int = 4
    run_time_limit_s: int = 4 * 3600
    sandbox: str = "auto"
    prompt_file: Path | None = None
    requested_by: User | None = None


@dataclass(frozen=True)
class Check:
    """One thing an evaluation needs."""

    name: str
    ready: bool
    detail: str
    remedy: str = ""


def ready(name: str, detail: str) -> Check:
    return Check(name, ready=True, detail=detail)


def lacking(name: str, detail: str, remedy: str = "") -> Check:
    return Check(name, ready=False, detail=detail, remedy=remedy)


def plan(request: EvaluationRequest) -> Evaluation:
    """Store an evaluation with all its runs queued, or nothing at all.

    Raises:
        PlanError: something it needs is missing or a number is out of bounds.
    """
    check_bounds(request)
    tasks = chosen_tasks(request)
    for check in preflight(request):
        if not check.ready:
            raise PlanError(f"{check.detail}. {check.remedy}".strip())
    prompt = chosen_prompt(request)
    repeats = request.repeats or request.benchmark.repeats
    sandbox = chosen_sandbox(request)
    with transaction.atomic():
        evaluation = Evaluation.objects.create(
            benchmark=request.benchmark,
            language_model=request.language_model,
            requested_by=request.requested_by,
            repeats=repeats,
            turn_cap=request.turn_cap or request.benchmark.turn_cap,
            cost_limit_usd=request.cost_limit_usd,
            run_time_limit_s=request.run_time_limit_s,
            concurrency=request.concurrency,
            sandbox=sandbox,
            prompt_name=prompt.name,
            prompt_text=prompt.text,
            prompt_sha256=prompt.sha256,
            manifest=manifest_of(request.language_model, sandbox),
        )
        Run.objects.bulk_create(
            Run(evaluation=evaluation, task=task, repeat=repeat)
            for repeat in range(1, repeats + 1)
            for task in tasks
        )
    return evaluation


def check_bounds(request: EvaluationRequest) -> None:
    for name, most in MOST.items():
        value = getattr(request, name)
        if value is not None and not 1 <= value <= most:
            raise PlanError(f"{name.replace('_', ' ')} is {value}: use 1 to {most}")
    limit = request.cost_limit_usd
    if limit is not None and not 0 < limit < 1e9:
        raise PlanError(f"The cost limit is {limit}: use a number of US dollars above 0")


def chosen_tasks(request: EvaluationRequest) -> list[Task]:
    tasks = list(request.benchmark.tasks.order_by("id"))
    if not tasks:
        raise PlanError(
            f"{request.benchmark} has no tasks: import them with `manage.py import_benchmark FOLDER "
            f"--slug {request.benchmark.slug}`"
        )
    if not request.tasks:
        return tasks
    known = {task.slug: task for task in tasks}
    if unknown := [slug for slug in request.tasks if slug not in known]:
        raise PlanError(f"{request.benchmark} has no task {', '.join(unknown)}: it has {', '.join(known)}")
    return [known[slug] for slug in dict.fromkeys(request.tasks)]


def chosen_sandbox(request: EvaluationRequest) -> str:
    wanted = settings.ITBENCH_SANDBOX if request.sandbox == "auto" else request.sandbox
    if wanted != "auto":
        return wanted
    isolated_only = not request.language_model.is_baseline
    return catalogue.best_available(isolated_only=isolated_only, image=settings.ITBENCH_SANDBOX_IMAGE)


def chosen_prompt(request: EvaluationRequest) -> Prompt:
    try:
        return read_prompt(request.prompt_file or DEFAULT_PROMPT)
    except PromptFormatError as problem:
        raise PlanError(str(problem)) from problem


def preflight(request: EvaluationRequest) -> list[Check]:
    """Check all an evaluation needs before its first turn is paid for."""
    runnable = check_runnable(request.language_model)
    if not runnable.ready:
        return [runnable]
    return [
        runnable,
        check_key(request.language_model),
        check_sandbox(request),
        check_snapshots(request),
        check_price(request),
    ]


def check_runnable(model: LanguageModel) -> Check:
    if not model.can_run:
        remedy = "Set its LiteLLM model in the admin, for example hosted_vllm/my-model"
        return lacking("model", f"{model} is known by published results only", remedy)
    try:
        model_settings(model)
    except ValueError as problem:
        return lacking("model", f"{model} can't be called: {problem}")
    return ready("model", f"{model} is called as {model.litellm_model}")


def check_key(model: LanguageModel) -> Check:
    missing = missing_key_variables(model_settings(model), os.environ)
    if not missing:
        return ready("key", "No key is missing")
    detail = f"{model.litellm_model} needs a key and {' or '.join(missing)} is not set"
    return lacking("key", detail, "Set it in the environment of the server and of the workers")


def check_sandbox(request: EvaluationRequest) -> Check:
    try:
        kind = chosen_sandbox(request)
    except SandboxUnavailable as problem:
        return lacking("sandbox", str(problem))
    if kind not in SandboxKind.values:
        return lacking("sandbox", f"There is no sandbox {kind!r}", f"Use {', '.join(SandboxKind.values)}")
    if kind == SandboxKind.PROCESS and not request.language_model.is_baseline:
        detail = "A language model's commands never run outside a sandbox, and `process` isolates nothing"
        return lacking("sandbox", detail, "Use docker or bubblewrap; `manage.py doctor` says how")
    found = catalogue.check(kind, settings.ITBENCH_SANDBOX_IMAGE)
    return Check("sandbox", found.ready, f"{kind}: {found.detail}", found.remedy)


def check_snapshots(request: EvaluationRequest) -> Check:
    missing = [task.slug for task in chosen_tasks(request) if not task.snapshot_folder.is_dir()]
    if not missing:
        return ready("snapshots", "Every task has its files")
    names = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    remedy = "Import the benchmark again from where its files are now"
    return lacking("snapshots", f"The files of {names} are not where they were imported from", remedy)


def check_price(request: EvaluationRequest) -> Check:
    if request.cost_limit_usd is None:
        return ready("price", "No cost limit is set")
    if prices_of(model_settings(request.language_model)) is not None:
        return ready("price", "The price is known, so that the cost limit can be kept")
    detail = f"The price of {request.language_model} is unknown, so a cost limit could not be kept"
    return lacking("price", detail, "Set its prices in the admin, or leave out the cost limit")
