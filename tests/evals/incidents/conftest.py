"""Sample incidents made once for all tests: fourteen of them, so that every kind of fault occurs."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.incidents.folder import make_incidents
from evals.incidents.scales import SMALL
from tests.evals.incidents.reading import Snapshot

SEED, COUNT = 5, 14


@pytest.fixture(scope="session")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("incidents") / "made"
    make_incidents(folder, COUNT, SEED, SMALL)
    return folder


@pytest.fixture(scope="session")
def snapshots(incidents: Path) -> list[Snapshot]:
    return [Snapshot(incidents / "sre" / f"Scenario-{number}") for number in range(1, COUNT + 1)]
