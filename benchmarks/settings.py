"""The site's own settings, with one more address: a view that makes one indexed query."""

from itbench_site.settings import *  # noqa: F403
from itbench_site.settings import MIDDLEWARE

ROOT_URLCONF = "benchmarks.one_query"
MIDDLEWARE = ["benchmarks.one_query.TellQueries", *MIDDLEWARE]
