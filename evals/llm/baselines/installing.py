"""The command that puts the toolkit into an agent's home."""

from __future__ import annotations

from functools import cache
from pathlib import Path

TOOLKIT = Path(__file__).with_name("toolkit")
END_OF_FILE = "END_OF_FILE"


@cache
def install_command(*modules: str) -> str:
    """Return a command that writes the toolkit, or these modules of it, into the folder it runs in."""
    wanted = {"__init__", "__main__", "rows", *modules}
    files = sorted(path for path in TOOLKIT.glob("*.py") if not modules or path.stem in wanted)
    return "\n".join(["mkdir -p toolkit", *(heredoc(path) for path in files)])


def heredoc(path: Path) -> str:
    return f"cat > toolkit/{path.name} <<'{END_OF_FILE}'\n{path.read_text(encoding='utf-8')}{END_OF_FILE}"


def toolkit(command: str) -> str:
    return f"python3 -m toolkit {command}"
