"""`make bench`: every measurement, each with its bound. Exit code 1 when one is missed."""

import sys

from benchmarks import runs

sys.exit(runs.main())
