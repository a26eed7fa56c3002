"""The forms in which a run goes out, for pages and commands alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evals.exchange.asciicast import cast_lines
from evals.exchange.atif_writer import atif_pieces
from evals.exchange.run_json import json_pieces
from evals.models import Run
from leaderboard.run_html import html_pieces
from leaderboard.run_markdown import markdown_pieces, whole_markdown_pieces


@dataclass(frozen=True)
class RunFile:
    suffix: str  # of a file's name, behind "run-12"
    content_type: str
    pieces: Callable[[Run], Iterator[bytes]]


def cast_pieces(run: Run) -> Iterator[bytes]:
    title = f"{run.evaluation.language_model} on {run.task.slug}, repeat {run.repeat}"
    return (line.encode() for line in cast_lines(run, title))


RUN_FILES = {
    "atif": RunFile(".trajectory.json", "application/json", atif_pieces),
    "json": RunFile(".json", "application/json", json_pieces),
    "markdown": RunFile(".md", "text/markdown; charset=utf-8", markdown_pieces),
    "whole-markdown": RunFile(".md", "text/markdown; charset=utf-8", whole_markdown_pieces),
    "html": RunFile(".html", "text/html; charset=utf-8", html_pieces),
    "cast": RunFile(".cast", "application/x-asciicast", cast_pieces),
}


def file_name(run: Run, kind: str) -> str:
    return f"run-{run.pk}{RUN_FILES[kind].suffix}"
