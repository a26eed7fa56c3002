"""Parts of the shell server that can be shown without a sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.sandbox.shell_server import BoundedOutput, pack, read


@pytest.mark.parametrize("limit", [0, 1, 2, 7, 1000])
@pytest.mark.parametrize("size", [0, 1, 6, 7, 8, 5000, 200_000])
@pytest.mark.parametrize("step", [1, 3, 65_536])
def test_a_bounded_output_keeps_both_ends(limit: int, size: int, step: int):
    text = bytes(n % 251 for n in range(min(size, 5000 if step == 1 else size)))
    output = BoundedOutput(limit)
    for start in range(0, len(text), step):
        output.add(text[start : start + step])
    head, tail = limit - limit // 2, limit // 2
    whole = text if len(text) <= limit else text[:head] + text[len(text) - tail :]
    assert (output.kept(), output.total) == (whole, len(text))


def test_reading_leaves_no_file_open(tmp_path: Path):
    (tmp_path / "note").write_text("mine")
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    assert read({"path": str(tmp_path), "limit_bytes": 9}) == pack({"found": False})
    assert read({"path": str(tmp_path / "note"), "limit_bytes": 9}) == pack({"found": True}, b"mine")
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
