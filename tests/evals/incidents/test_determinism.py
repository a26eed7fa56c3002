"""The same arguments give the same bytes, on any machine."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

from evals.incidents.dice import Dice
from evals.incidents.folder import make_incidents
from evals.incidents.plan import plan
from evals.incidents.scales import SMALL

ROOT = Path(__file__).parents[3]


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_makes_the_same_bytes_however_many_are_made(tmp_path, incidents):
    make_incidents(tmp_path / "again", 2, 5, SMALL)
    again, before = digests(tmp_path / "again"), digests(incidents)
    again.pop("sre/data.jsonl")
    assert len(again) > 150
    assert again.items() <= before.items()


def test_another_seed_makes_other_incidents():
    first, second = ([plan(seed, number, SMALL) for number in range(1, 13)] for seed in (1, 2))
    for ours, theirs in zip(first, second, strict=True):
        assert ours.clock != theirs.clock
        assert [(fault.victim, fault.second) for fault in ours.faults] != [
            (fault.victim, fault.second) for fault in theirs.faults
        ]


def test_chance_comes_from_the_one_generator_method_python_promises_to_keep():
    promised = random.Random("a/1")
    dice = Dice("a", 1)
    assert [dice.fraction() for _ in range(5)] == [promised.random() for _ in range(5)]


def test_a_child_draws_apart_from_its_parent():
    alone, busy = Dice("x"), Dice("x")
    busy.child("y").text(100)
    assert alone.fraction() == busy.fraction()


def test_the_bytes_do_not_hang_on_the_order_of_hashes(tmp_path):
    script = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from evals.incidents.folder import make_incidents; from evals.incidents.scales import SMALL\n"
        "make_incidents(Path(sys.argv[1]), 1, 3, replace(SMALL, window_s=300))"
    )
    made = []
    for hash_seed in ("1", "2"):
        out = tmp_path / hash_seed
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", script, str(out)], check=True, env=environment, cwd=ROOT)
        made.append(digests(out))
    assert made[0] == made[1]
