"""A sandbox made of a container. The only module that speaks to a container engine."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import docker
import docker.errors
import docker.types
import requests.exceptions

from evals.sandbox import DEFAULT_IMAGE, HOME, SandboxError, SandboxSpec, SandboxUnavailable
from evals.sandbox.local import LAST_WORDS_BYTES, SocketStream
from evals.sandbox.shell_client import ServerSettings, ShellSandbox, memory_for_commands, server_command
from evals.sandbox.snapshot import refuse_unreadable, shown_entries

RUN_LABEL, OWNER_LABEL = "itbench.run", "itbench.owner"
PATH = "/usr/local/bin:/usr/bin:/bin"
# A container whose server lost its client is gone after a tenth of a second; past this it is forced.
FAREWELL_S = 2
STDERR = 2  # its number among an engine's streams
# What the SDK lets through of a failing engine.
ENGINE_ERRORS = (docker.errors.DockerException, requests.exceptions.RequestException)

START_IT = "install and start Docker, or set DOCKER_HOST to an engine that runs"
BUILD_IT = "sandbox/build.sh makes it"

logger = logging.getLogger(__name__)


class StreamParts:
    """Takes apart the one stream in which an engine sends stdout and stderr.

    A part: one byte that names the stream, three zeros, its size in four bytes, its content.
    """

    HEADER_BYTES = 8

    def __init__(self) -> None:
        self.stderr = bytearray()  # its end
        self._rest = bytearray()

    def stdout(self, chunk: bytes) -> bytes:
        """Return what of stdout is complete with this chunk."""
        self._rest += chunk
        stdout = bytearray()
        while len(self._rest) >= (start := self.HEADER_BYTES):
            end = start + int.from_bytes(self._rest[4:start], "big")
            if len(self._rest) < end:
                break
            if self._rest[0] == STDERR:
                self.stderr = (self.stderr + self._rest[start:end])[-LAST_WORDS_BYTES:]
            else:
                stdout += self._rest[start:end]
            del self._rest[:end]
        return bytes(stdout)


class ContainerStream(SocketStream):
    """The stdin and stdout of a container's main process, by way of the engine."""

    def __init__(self, attached: Any) -> None:
        # Plain connections come wrapped in a file object, encrypted ones do not.
        super().__init__(getattr(attached, "_sock", attached))
        self._attached = attached
        self._parts = StreamParts()

    def receive(self, deadline: float) -> bytes:
        while chunk := super().receive(deadline):
            if stdout := self._parts.stdout(chunk):
                return stdout
        return b""

    def last_words(self) -> str:
        return self._parts.stderr.decode(errors="replace").strip()

    def close(self) -> None:
        with suppress(OSError):  # the engine closed it first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._attached.close()


class DockerSandbox(ShellSandbox):
    kind = "docker"
    isolated = True

    def __init__(self, spec: SandboxSpec, image: str = DEFAULT_IMAGE) -> None:
        super().__init__(spec)
        self._image = image
        self._engine: docker.DockerClient | None = None
        self._container: str | None = None
        self._stream: ContainerStream | None = None

    def _launch(self) -> ContainerStream:
        entries = shown_entries(self.spec.snapshot)
        refuse_unreadable(entries)
        self._engine = connect()
        api = self._engine.api
        mounts = [
            docker.types.Mount(f"{HOME}/{entry.name}", str(entry), type="bind", read_only=True)
            for entry in entries
        ]
        try:
            self._container = api.create_container(
                self._image,
                server_command("/usr/bin/python3"),
                host_config=api.create_host_config(mounts=mounts, **isolation(self.spec)),
                hostname="sandbox",
                user="1000:1000",
                # Open once: when this process goes, however it goes, stdin ends, and with it the server.
                stdin_open=True,
                labels={RUN_LABEL: self.spec.run_id, OWNER_LABEL: f"{socket.gethostname()}:{os.getpid()}"},
            )["Id"]
            streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            self._stream = ContainerStream(api.attach_socket(self._container, params=streams))
            api.start(self._container)
        except docker.errors.ImageNotFound as error:
            raise SandboxUnavailable(f"there is no image {self._image}", BUILD_IT) from error
        except ENGINE_ERRORS as error:
            raise SandboxError(f"the container engine failed: {error}") from error
        return self._stream

    def _settings(self) -> ServerSettings:
        return ServerSettings(
            home=HOME,
            environment=self._environment(PATH),
            processes=self.spec.processes,
            memory_bytes=memory_for_commands(self.spec.memory_bytes),
        )

    def _remove(self) -> None:
        if self._stream is not None:
            self._stream.close()
        if self._engine is None:
            return
        if self._container is not None:
            await_removal(self._engine, self._container)
        self._engine.close()
        self._engine = self._container = self._stream = None


def isolation(spec: SandboxSpec) -> dict[str, Any]:
    """Return the part of a container's configuration that keeps the agent in its place."""
    scratch = f"rw,exec,nosuid,nodev,size={spec.home_bytes},uid=1000,gid=1000"
    return {
        "network_mode": "none",
        "read_only": True,
        "tmpfs": {HOME: f"{scratch},mode=0755", "/tmp": f"{scratch},mode=1777"},  # noqa: S108
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": spec.memory_bytes,
        "memswap_limit": spec.memory_bytes,  # memory and swap together: no swap
        "pids_limit": spec.processes,
        "nano_cpus": int(spec.cpus * 1e9),
        # The engine itself removes it when its server ends, so that no crash of ours can leak it.
        "auto_remove": True,
        # Else the engine writes all that the agent prints to its disk, a second time.
        "log_config": docker.types.LogConfig(type="none"),
    }


def connect(timeout_s: int = 60) -> docker.DockerClient:
    """Return a client of the engine that DOCKER_HOST names; raise SandboxUnavailable."""
    try:
        return docker.from_env(timeout=timeout_s)
    except ENGINE_ERRORS as error:
        raise SandboxUnavailable("no container engine answers", START_IT) from error


def await_removal(engine: docker.DockerClient, container: str) -> None:
    """Return when the container, whose stdin has ended, is gone; force it if that takes long."""
    try:
        engine.api.wait(container, timeout=FAREWELL_S, condition="removed")
    except docker.errors.NotFound:
        return
    except ENGINE_ERRORS:
        force_removal(engine, container)


def force_removal(engine: docker.DockerClient, container: str) -> bool:
    """Tell whether the container is gone, or going, now."""
    try:
        engine.api.remove_container(container, force=True, v=True)
    except docker.errors.NotFound:
        return True
    except docker.errors.APIError as error:
        if error.status_code == requests.codes.conflict:  # its removal is under way
            return True
        logger.warning("container %s could not be removed: %s", container, error)
        return False
    except requests.exceptions.RequestException as error:
        logger.warning("container %s could not be removed: %s", container, error)
        return False
    return True


def reap_leftovers(is_live: Callable[[str], bool]) -> list[str]:
    """Remove the containers of runs that are not live any more; return these runs' ids.

    Of use after a crash of the engine or between a container's creation and its start; a container
    whose worker is killed ends by itself. Raises SandboxUnavailable.
    """
    engine = connect()
    try:
        found = engine.api.containers(all=True, filters={"label": RUN_LABEL})
        leftovers = [one for one in found if not is_live(one["Labels"][RUN_LABEL])]
        return [one["Labels"][RUN_LABEL] for one in leftovers if force_removal(engine, one["Id"])]
    except ENGINE_ERRORS as error:
        raise SandboxError(f"the container engine failed: {error}") from error
    finally:
        engine.close()


def image_digest(image: str = DEFAULT_IMAGE) -> str | None:
    """Return the id of the image, "sha256:...", or None when there is no such image.

    Raises SandboxUnavailable when no engine answers.
    """
    engine = connect(timeout_s=5)
    try:
        return str(engine.images.get(image).id)
    except docker.errors.ImageNotFound:
        return None
    finally:
        engine.close()
