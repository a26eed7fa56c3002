"""What an agent may see of a task's folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from evals.sandbox import SNAPSHOT_ALLOW_LIST, SandboxError


def shown_entries(folder: Path | None) -> list[Path]:
    """Return the real paths of the folder's entries that an agent may see.

    Raises:
        SandboxError: there is no such folder, nothing in it may be shown, or something in an entry
            would show more than the entry: a link that leads out of it, or no plain file.
    """
    if folder is None:
        return []
    folder = folder.resolve()
    entries = [folder / name for name in SNAPSHOT_ALLOW_LIST if os.path.lexists(folder / name)]
    if not entries:
        raise SandboxError(f"{folder}: not a snapshot, for it has none of {', '.join(SNAPSHOT_ALLOW_LIST)}")
    for entry in entries:
        for path in _everything_in(entry):
            _refuse_what_leads_out(path, entry)
    return entries


def refuse_unreadable(entries: list[Path]) -> None:
    """Raise SandboxError for what only its owner may read: inside, the agent is somebody else."""
    for path in (path for entry in entries for path in _everything_in(entry)):
        mode = path.stat().st_mode
        needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
        if mode & needed != needed:
            raise SandboxError(f"{path}: the agent could not read it; `chmod -R o+rX {path.parent}` helps")


def _everything_in(entry: Path) -> Iterator[Path]:
    yield entry
    for folder, folders, files in os.walk(entry):
        for name in folders + files:
            yield Path(folder, name)


def _refuse_what_leads_out(path: Path, entry: Path) -> None:
    if not path.resolve().is_relative_to(entry):
        raise SandboxError(f"{path}: a link out of the snapshot's {entry.name}; put a copy there instead")
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise SandboxError(f"{path}: neither a file nor a folder")
