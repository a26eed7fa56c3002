"""Answers to what was asked wrongly: always JSON, always one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

# Of a value that was given and not understood, so much is repeated.
QUOTED_CHARACTERS = 60


def one_sentence(problem: Exception, context: dict[str, Any]) -> Response | None:
    """Return `{"detail": sentence}` for what the REST framework answers, None for what is our failure."""
    response = exception_handler(problem, context)
    if response is not None and isinstance(problem, APIException):
        response.data = {"detail": " ".join(sentences(problem.detail))}
    return response


def sentences(detail: Any) -> Iterator[str]:
    """Yield the sentences of the framework's nested details, each led by its parameter's name."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield f"{name}: {' '.join(sentences(inner))}"
    elif isinstance(detail, list):
        for inner in detail:
            yield from sentences(inner)
    else:
        yield str(detail)


def wrong(parameter: str, sentence: str) -> ValidationError:
    return ValidationError({parameter: sentence})


def quoted(value: str) -> str:
    short = value if len(value) <= QUOTED_CHARACTERS else f"{value[:QUOTED_CHARACTERS]}..."
    return repr(short)
