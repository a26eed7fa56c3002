"""Whether a model's key is there, answered by names alone and without loading a client."""

from __future__ import annotations

from collections.abc import Mapping

from evals.llm.settings import ModelSettings

# Any one variable of a tuple is enough. A provider that is not here is left to say so itself.
KEY_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "azure": ("AZURE_API_KEY",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "dashscope": ("DASHSCOPE_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks_ai": ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "minimax": ("MINIMAX_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY"),
    "xai": ("XAI_API_KEY",),
    "zai": ("ZAI_API_KEY",),
}


def missing_key_variables(settings: ModelSettings, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables of which one must hold this model's key, or () when no key is missing.

    A server of one's own (`api_base`) needs none unless its settings name one.
    """
    if settings.api_key_variable:
        return () if environment.get(settings.api_key_variable) else (settings.api_key_variable,)
    if settings.api_base:
        return ()
    wanted = KEY_VARIABLES.get(settings.provider, ())
    return () if any(environment.get(name) for name in wanted) else wanted
