"""Register a language model, or change what is known of one."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from evals.models import LanguageModel

# Option, field, type, what it is.
FIELDS: tuple[tuple[str, str, type, str], ...] = (
    ("--litellm", "litellm_model", str, "as LiteLLM names it: openai/gpt-5.5, hosted_vllm/my-model"),
    ("--name", "name", str, "as pages show it; default: the slug"),
    ("--setting", "setting", str, "for example: high, max effort"),
    ("--creator", "creator", str, "who made it"),
    ("--api-base", "api_base", str, "address of a server of your own"),
    ("--key-variable", "api_key_variable", str, "name of the environment variable with the key"),
    ("--reasoning-effort", "reasoning_effort", str, "low, medium, high ..."),
    ("--temperature", "temperature", float, ""),
    ("--max-tokens", "max_tokens", int, "of one reply"),
    ("--context-window", "context_window", int, "in tokens"),
    ("--price-input", "price_input", float, "US dollars per million tokens"),
    ("--price-output", "price_output", float, "US dollars per million tokens"),
    ("--price-cache-read", "price_cache_read", float, "US dollars per million tokens"),
    ("--price-cache-write", "price_cache_write", float, "US dollars per million tokens"),
)


class Command(BaseCommand):
    help = "Register a language model to evaluate, or change the named fields of a registered one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        for option, field, kind, what in FIELDS:
            parser.add_argument(option, dest=field, type=kind, help=what)
        parser.add_argument("--open-weights", choices=["yes", "no"])
        parser.add_argument("--extra", default=None, metavar="JSON", help="further parameters of each call")

    def handle(self, *args: Any, **options: Any) -> None:
        model = LanguageModel.objects.filter(slug=options["slug"]).first()
        made = model is None
        model = model or LanguageModel(slug=options["slug"], name=options["name"] or options["slug"])
        for _, field, _, _ in FIELDS:
            if options[field] is not None:
                setattr(model, field, options[field])
        if options["open_weights"]:
            model.open_weights = options["open_weights"] == "yes"
        if options["extra"] is not None:
            model.extra_parameters = json_object(options["extra"])
        try:
            model.full_clean()
        except ValidationError as problem:
            told = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in problem.message_dict.items())
            raise CommandError(told, returncode=2) from problem
        model.save()
        self.stdout.write(
            f"{'Registered' if made else 'Changed'} {model.slug}: {model.litellm_model or model.name}"
        )


def json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as problem:
        raise CommandError(f"--extra is not valid JSON: {problem}", returncode=2) from problem
    if not isinstance(value, dict):
        raise CommandError("--extra must be a JSON object", returncode=2)
    return value
