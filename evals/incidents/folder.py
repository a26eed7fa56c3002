"""A folder of sample incidents, laid out as ITBench-AA's repository is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evals.incidents.plan import Plan, plan
from evals.incidents.scales import Scale
from evals.incidents.snapshot import write_snapshot

MARKER = "synthetic.json"
GENERATOR = "itbench-incidents"
VERSION = 1


class FolderError(Exception):
    """The incidents can't be put where they are wanted; the message is a sentence."""


@dataclass(frozen=True)
class MadeIncident:
    slug: str
    faults: tuple[str, ...]  # kinds
    difficulty: str
    files: int
    size_bytes: int


def make_incidents(
    folder: Path, count: int, seed: int, scale: Scale, on_made: Callable[[MadeIncident], None] | None = None
) -> list[MadeIncident]:
    """Make `count` incidents in the folder, replacing what an earlier call made there.

    The same arguments give the same bytes. Everything is first written beside the folder and then
    moved, so that the folder is whole or not there.

    Raises:
        FolderError: the folder holds something else, or is no folder.
        OSError: it can't be written.
    """
    _refuse_strangers(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.draft-{os.getpid()}"
    try:
        made = _write(draft, [plan(seed, number, scale) for number in range(1, count + 1)], on_made)
        _mark(draft, seed, scale)
        _put_in_place(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _refuse_strangers(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FolderError(f"{folder} is a file; name a folder that is empty or absent")
    if any(folder.iterdir()) and not _is_ours(folder):
        sentence = "is not empty and was not made by make_incidents; name a folder that is empty or absent"
        raise FolderError(f"{folder} {sentence}")


def _is_ours(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / MARKER).read_text(encoding="utf-8"))["generator"] == GENERATOR)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _write(
    draft: Path, plans: list[Plan], on_made: Callable[[MadeIncident], None] | None
) -> list[MadeIncident]:
    root = draft / "sre"
    root.mkdir(parents=True)
    made = []
    with (root / "data.jsonl").open("w", encoding="utf-8") as rows:
        for each in plans:
            truth = write_snapshot(each, root / each.slug)
            rows.write(json.dumps(_row(each, truth)) + "\n")
            made.append(_measured(each, root / each.slug))
            if on_made is not None:
                on_made(made[-1])
    return made


def _row(each: Plan, truth: str) -> dict[str, str]:
    return {
        "id_aa": f"it-bench-sre-synthetic-{each.seed}-{each.slug.lower()}",
        "scenario_id": each.slug,
        "category": "sre",
        "source_split": "public",
        "scenario_root": "/home/user",
        "ground_truth_yaml": truth,
    }


def _measured(each: Plan, folder: Path) -> MadeIncident:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    kinds = tuple(fault.kind for fault in each.faults)
    return MadeIncident(each.slug, kinds, each.difficulty, len(sizes), sum(sizes))


def _mark(draft: Path, seed: int, scale: Scale) -> None:
    marker = {
        "synthetic": True,
        "seed": seed,
        "scale": scale.name,
        "generator": GENERATOR,
        "version": VERSION,
    }
    for place in (draft, draft / "sre"):
        (place / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")


def _put_in_place(draft: Path, folder: Path) -> None:
    old = folder.parent / f".{folder.name}.old-{os.getpid()}"
    if folder.exists():
        folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
