"""A sandbox made of Linux namespaces by bubblewrap: no engine, no image, no root needed.

The agent sees this machine's programs and this worker's Python with pandas, read-only, and nothing
else of the machine. What it lacks against Docker stands in sandbox/README.md.
"""

from __future__ import annotations

import itertools
import math
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from evals.sandbox import HOME, SandboxError, SandboxSpec, SandboxUnavailable
from evals.sandbox.local import LocalServer
from evals.sandbox.shell_client import ServerSettings, ShellSandbox, memory_for_commands, server_command
from evals.sandbox.snapshot import refuse_unreadable, shown_entries

USER_ID = 1000
SHARED_MEMORY_BYTES = 64 * 1024**2  # /dev/shm, as in Docker
VENV = "/opt/venv"
# Parts of /usr, never /usr itself: applications, this one too, are found in /usr/src or /usr/local/app.
PROGRAM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libexec", "share")
SCRATCH = "/tmp"  # noqa: S108, the sandbox's own
SHARED_MEMORY = "/dev/shm"  # noqa: S108, the sandbox's own
PROJECT = Path(__file__).parents[2]
OWN_ETC = Path(__file__).parent / "etc"
# User ids that nothing else gives out: above those of users, containers and systemd's services.
FIRST_SPARE_UID, SPARE_UIDS = 2_000_000_000, 100_000_000

_turns = itertools.count()  # spreads the sandboxes of this worker over the processors


class Mount(NamedTuple):
    source: Path
    target: str  # inside; read-only, like everything but the home and /tmp


class BubblewrapSandbox(ShellSandbox):
    kind = "bubblewrap"
    isolated = True

    def __init__(self, spec: SandboxSpec) -> None:
        super().__init__(spec)
        self._server: LocalServer | None = None

    def _launch(self) -> LocalServer:
        if shutil.which("bwrap") is None:
            raise SandboxUnavailable("bubblewrap is not installed", "`apt-get install bubblewrap`")
        entries = shown_entries(self.spec.snapshot)
        system = system_mounts()
        hidden = [PROJECT] if self.spec.snapshot is None else [PROJECT, self.spec.snapshot]
        refuse_shown_by_accident(hidden, system)
        mounts = system + [Mount(entry, f"{HOME}/{entry.name}") for entry in entries]
        server = server_command(python_inside())
        if os.geteuid() == 0:
            refuse_unreadable(entries)
            command = as_spare_user(mounts, self.spec, server)
        else:
            command = isolate(mounts, self.spec, server)
        self._server = LocalServer(command, {"PATH": os.environ.get("PATH", os.defpath)})
        return self._server

    def _settings(self) -> ServerSettings:
        return ServerSettings(
            home=HOME,
            environment=self._environment(":".join(program_path())),
            processes=self.spec.processes,
            limit_processes=True,
            memory_bytes=memory_for_commands(self.spec.memory_bytes),
            cpus=next_cpus(self.spec.cpus),
        )

    def _remove(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


def isolate(mounts: list[Mount], spec: SandboxSpec, server: list[str]) -> list[str]:
    """Return the command that starts the server with these mounts, seeing and reaching nothing else."""
    own_places = [
        "--proc", "/proc",
        "--dev", "/dev",
        "--size", str(SHARED_MEMORY_BYTES), "--tmpfs", SHARED_MEMORY,
        "--remount-ro", "/dev",
        "--perms", "1777", "--size", str(spec.home_bytes), "--tmpfs", SCRATCH,
        "--perms", "0755", "--size", str(spec.home_bytes), "--tmpfs", HOME,
    ]  # fmt: skip
    return [
        "bwrap",
        "--unshare-all", "--unshare-user",
        # Else the agent could make itself root of a user namespace, and mount memory without a limit.
        "--disable-userns",
        "--uid", str(USER_ID), "--gid", str(USER_ID),
        "--hostname", "sandbox",
        "--clearenv",
        # The server reaps what ends and is safe from the agent's signals: see docs/decisions/0002.
        "--as-pid-1",
        *own_places,
        *top_level_links(),
        *read_only(mounts),
        "--remount-ro", "/",
        "--",
        *server,
    ]  # fmt: skip


def as_spare_user(mounts: list[Mount], spec: SandboxSpec, server: list[str]) -> list[str]:
    """Return a command for root to start the server as a user that exists nowhere.

    Root inside a user namespace stays root outside: no process limit binds it. But the user that exists
    nowhere can't reach the mounts' sources, where a folder above them is root's alone. So a first
    bubblewrap, as root, puts them under /mnt, and a second one, as that user, isolates.
    """
    staged = [Mount(Path(f"/mnt/{i}"), mount.target) for i, mount in enumerate(mounts)]
    uid = str(FIRST_SPARE_UID + secrets.randbelow(SPARE_UIDS))
    stage = [Mount(mount.source, str(place.source)) for mount, place in zip(mounts, staged, strict=True)]
    return [
        "bwrap", "--dev-bind", "/", "/", "--tmpfs", "/mnt", *read_only(stage), "--",
        "setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--",
        *isolate(staged, spec, server),
    ]  # fmt: skip


def read_only(mounts: list[Mount]) -> Iterator[str]:
    for mount in mounts:
        yield from ("--ro-bind", str(mount.source), mount.target)


def system_mounts() -> list[Mount]:
    """Return what of this machine every sandbox shows: programs, libraries, and Python."""
    paths = [Path("/usr", name) for name in PROGRAM_FOLDERS]
    paths += [path for path in top_level_folders() if not path.is_symlink()]
    paths += [Path("/etc/ld.so.cache"), Path("/etc/alternatives")]
    paths += [Path(sys.base_prefix, name) for name in ("bin", "lib")]
    mounts = [Mount(path, str(path)) for path in dict.fromkeys(paths) if path.exists()]
    mounts += [Mount(path, f"/etc/{path.name}") for path in sorted(OWN_ETC.iterdir())]
    if sys.prefix != sys.base_prefix:
        mounts.append(Mount(Path(sys.prefix), VENV))
    return mounts


def top_level_folders() -> list[Path]:
    return [path for path in (Path("/", name) for name in PROGRAM_FOLDERS) if path.exists()]


def top_level_links() -> Iterator[str]:
    """Repeat /bin -> usr/bin and its like, where this machine has them."""
    for path in top_level_folders():
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))


def program_path() -> list[str]:
    """Return the agent's PATH, the Python that has pandas first."""
    pythons = [sys.prefix if sys.prefix == sys.base_prefix else VENV, sys.base_prefix]
    return list(dict.fromkeys([f"{prefix}/bin" for prefix in pythons] + ["/usr/bin", "/bin"]))


def python_inside() -> str:
    return f"{program_path()[0]}/python3"


def next_cpus(cpus: float) -> list[int]:
    """Return as many processors as that, rounded up; another choice each time."""
    usable = sorted(os.sched_getaffinity(0))
    first = next(_turns)
    return sorted({usable[(first + i) % len(usable)] for i in range(math.ceil(cpus))})


def refuse_shown_by_accident(hidden: list[Path], mounts: list[Mount]) -> None:
    """Raise SandboxError when what holds ground truths lies in a folder of programs that agents see."""
    for path, mount in itertools.product(hidden, mounts):
        if path.resolve().is_relative_to(mount.source.resolve()):
            raise SandboxError(f"{path} lies in {mount.source}, which agents can read; move it elsewhere")
