"""How much one visitor may ask."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.throttling import SimpleRateThrottle

from leaderboard.audience import is_staff


class VisitorThrottle(SimpleRateThrottle):
    """So many requests a time from one address, by ITBENCH_API_RATE; staff are not counted."""

    cache_format = "api-visitor-%(ident)s"

    def get_rate(self) -> str:
        return str(settings.ITBENCH_API_RATE)

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        return None if is_staff(request) else self.cache_format % {"ident": self.get_ident(request)}
