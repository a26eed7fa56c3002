"""Zip archives from outside: nothing is read before all of it is known to be bearable."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from evals.exchange.incoming import TrajectoryFormatError

MOST_MEMBERS = 20_000
MOST_BYTES = 4 * 1024**3  # of all members, unpacked
MOST_TIMES = 200  # unpacked against packed; JSON of repetitive logs reaches some forty
# Below this an archive may be as dense as it likes: it can do no harm.
SMALL_BYTES = 16 * 1024**2


@contextmanager
def opened_archive(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    """Open an archive that is bearable.

    Raises:
        TrajectoryFormatError: it is not, or it is no archive; also for what comes to light while it is read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, name)
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as problem:
        raise TrajectoryFormatError(name, "", f"no readable zip archive: {problem}") from problem


def open_member(path: Path, member: str) -> BinaryIO:
    """Open one member by itself; the archive is closed with it."""
    with zipfile.ZipFile(path) as archive:
        return archive.open(member)  # type: ignore[return-value]


def check_archive(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse an archive that unpacks to more than is bearable, or to places outside of its folder.

    Sizes are what the archive says of itself; `zipfile` reads no member beyond the size it claims.

    Raises:
        TrajectoryFormatError: with what is wrong.
    """
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise TrajectoryFormatError(name, "", f"{len(members):,} members; at most {MOST_MEMBERS:,} are taken")
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > MOST_BYTES:
        raise TrajectoryFormatError(
            name, "", f"unpacks to {unpacked:,} bytes; at most {MOST_BYTES:,} are taken"
        )
    if unpacked > max(SMALL_BYTES, MOST_TIMES * packed):
        raise TrajectoryFormatError(name, "", f"unpacks to more than {MOST_TIMES} times its size")
    for member in members:
        check_member(member, name)


def check_member(member: zipfile.ZipInfo, name: str) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in member.filename[:3]:
        raise TrajectoryFormatError(
            name, member.filename[:100], "a place within the archive's folder expected"
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise TrajectoryFormatError(name, member.filename[:100], "a link; a file or folder expected")
    if member.flag_bits & 1:
        raise TrajectoryFormatError(name, member.filename[:100], "encrypted; a plain file expected")
