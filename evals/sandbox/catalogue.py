"""Which sandboxes there are, which of them this machine can open, and how to get the others."""

from __future__ import annotations

from dataclasses import dataclass

from evals.sandbox import DEFAULT_IMAGE, Sandbox, SandboxError, SandboxSpec, SandboxUnavailable
from evals.sandbox.bubblewrap import BubblewrapSandbox
from evals.sandbox.process import ProcessSandbox

ISOLATED_KINDS = ("docker", "bubblewrap")
KINDS = (*ISOLATED_KINDS, "process")  # the best first
ALLOW_NAMESPACES = (
    "let users make namespaces: sysctl user.max_user_namespaces above 0, and where there are such,"
    " kernel.unprivileged_userns_clone=1 and kernel.apparmor_restrict_unprivileged_userns=0"
)


@dataclass(frozen=True)
class Check:
    kind: str
    ready: bool
    detail: str  # what was found, in plain words
    remedy: str = ""  # how to get what is missing; empty when ready, or when the detail tells it


def open_sandbox(kind: str, spec: SandboxSpec, image: str = DEFAULT_IMAGE) -> Sandbox:
    """Return a sandbox, not yet entered; raise SandboxUnavailable for a kind that does not exist."""
    if kind == "docker":
        # Imported here: the SDK takes a third of a second, which only those who use Docker should wait.
        from evals.sandbox.docker import DockerSandbox

        return DockerSandbox(spec, image)
    if kind == "bubblewrap":
        return BubblewrapSandbox(spec)
    if kind == "process":
        return ProcessSandbox(spec)
    raise SandboxUnavailable(f"{kind!r} is no sandbox", f"use {', '.join(KINDS)}")


def check(kind: str, image: str = DEFAULT_IMAGE) -> Check:
    """Tell whether this machine can open such a sandbox. Quick: no container is started for it."""
    try:
        return Check(kind, ready=True, detail=_evidence(kind, image))
    except SandboxUnavailable as error:
        return Check(kind, ready=False, detail=error.detail, remedy=error.remedy)
    except SandboxError as error:
        remedy = ALLOW_NAMESPACES if kind == "bubblewrap" else ""
        return Check(kind, ready=False, detail=str(error), remedy=remedy)


def best_available(*, isolated_only: bool, image: str = DEFAULT_IMAGE) -> str:
    """Return the best kind that is ready; raise SandboxUnavailable, with the ways out, when none is."""
    checks = []
    for kind in ISOLATED_KINDS if isolated_only else KINDS:
        checks.append(check(kind, image))
        if checks[-1].ready:
            return kind
    found = "; ".join(f"{one.kind}: {one.detail} ({one.remedy})" for one in checks)
    raise SandboxUnavailable(f"no sandbox can be opened here: {found}")


def _evidence(kind: str, image: str) -> str:
    """Return what shows that a sandbox can be opened; raise SandboxError when it can't."""
    if kind == "docker":
        # Imported here for the reason given in open_sandbox.
        from evals.sandbox.docker import BUILD_IT, image_digest

        digest = image_digest(image)
        if digest is None:
            raise SandboxUnavailable(f"the engine has no image {image}", BUILD_IT)
        return f"the engine has the image {image} ({digest[:19]})"
    with open_sandbox(kind, SandboxSpec(snapshot=None, run_id="check")) as sandbox:
        sandbox.run("true", timeout_s=10)
    return "a command ran in one" if sandbox.isolated else "a command ran in one, without any isolation"
