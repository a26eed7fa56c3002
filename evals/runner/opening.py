"""From rows to the plain objects that play a run: the model, its settings, the sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import lru_cache

from django.conf import settings

from evals.llm import ChatModel
from evals.llm.settings import ModelSettings, Prices
from evals.models import LanguageModel, Run
from evals.sandbox import Sandbox, SandboxSpec, catalogue


def model_settings(model: LanguageModel) -> ModelSettings:
    return ModelSettings(
        model=model.litellm_model,
        api_base=model.api_base or None,
        api_key_variable=model.api_key_variable or None,
        temperature=model.temperature,
        max_tokens=model.max_tokens,
        reasoning_effort=model.reasoning_effort or None,
        extra_parameters=model.extra_parameters,
        context_window=model.context_window,
        prices=Prices(model.price_input, model.price_output, model.price_cache_read, model.price_cache_write),
    )


def open_model(model: LanguageModel) -> ChatModel:
    # Imported here: litellm takes seconds and 170 MB to load, and only a worker calls models.
    from evals.llm.litellm_client import LiteLLMModel

    return LiteLLMModel(model_settings(model))


@lru_cache(maxsize=1)
def site_mark() -> str:
    """Name this site's database: several sites on one machine must not remove each other's containers."""
    database = settings.DATABASES["default"]
    named = "|".join(str(database.get(key, "")) for key in ("ENGINE", "HOST", "PORT", "NAME"))
    return hashlib.sha256(named.encode()).hexdigest()[:8]


def is_left_over(label: str, running: Collection[int]) -> bool:
    """Tell whether a sandbox of this site belongs to a run that no longer runs."""
    mark, _, run_id = label.rpartition("-")
    return mark == site_mark() and run_id.isdigit() and int(run_id) not in running


def open_sandbox(run: Run) -> Sandbox:
    spec = SandboxSpec(
        snapshot=run.task.snapshot_folder,
        run_id=f"{site_mark()}-{run.pk}",
        memory_bytes=settings.ITBENCH_SANDBOX_MEMORY_MB * 1024**2,
    )
    return catalogue.open_sandbox(run.evaluation.sandbox, spec, settings.ITBENCH_SANDBOX_IMAGE)
