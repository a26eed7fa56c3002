"""`make bench`: the measurements, each with its bound. Exit code 1 when one is missed."""

import argparse
import subprocess
import sys

MEASUREMENTS = ("runs", "pages", "trajectories")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("measurement", nargs="?", choices=MEASUREMENTS, help="without it all, one by one")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="what that measurement takes")
    wanted = parser.parse_args()
    chosen = [wanted.measurement] if wanted.measurement else MEASUREMENTS
    # A process each: `runs` sets Django up on a folder of its own, and measures memory.
    commands = [[sys.executable, "-m", f"benchmarks.{name}", *wanted.options] for name in chosen]
    return max(subprocess.run(command, check=False).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
