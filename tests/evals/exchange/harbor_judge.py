"""Run by the Python in .harbor: a trajectory a line in, what Harbor's own models say of it a line out."""

import json
import sys

from harbor.models.trajectories import Trajectory
from pydantic import ValidationError


def verdict(line: str) -> list[str]:
    try:
        Trajectory.model_validate_json(line)
    except ValidationError as problem:
        return [f"{error['loc']}: {error['msg']}" for error in problem.errors()]
    return []


for line in sys.stdin:
    sys.stdout.write(json.dumps(verdict(line)) + "\n")
