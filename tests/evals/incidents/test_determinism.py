"""The same arguments give the same bytes, on any machine."""

from __future__ import annotations

import hashlib
import random

from evals.incidents.dice import Dice
from evals.incidents.folder import make_incidents
from evals.incidents.plan import plan
from evals.incidents.scales import SMALL


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
