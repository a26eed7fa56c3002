"""The feature flags of the shop: flagd's file and what a variant that is on does to a service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

FILE = "demo.flagd.json"
OFF = "off"

_SWITCH: tuple[tuple[str, float | bool], ...] = (("off", False), ("on", True))
_SHARE: tuple[tuple[str, float | bool], ...] = (
    ("10%", 0.1), ("100%", 1), ("25%", 0.25), ("50%", 0.5), ("75%", 0.75), ("90%", 0.9), ("off", 0)
)  # fmt: skip
_DELAY: tuple[tuple[str, float | bool], ...] = (("10sec", 10000), ("5sec", 5000), ("off", 0))


@dataclass(frozen=True)
class Flag:
    description: str
    variants: tuple[tuple[str, float | bool], ...]
    variant: str = OFF  # the default one, which everybody gets
    state: str = "ENABLED"  # DISABLED: callers use the default in their code, which is off

    @property
    def strength(self) -> float:
        """Return the number behind the variant in force: 0 when off, 1 when on."""
        return float(dict(self.variants)[self.variant]) if self.state == "ENABLED" else 0.0


DEFAULTS: Mapping[str, Flag] = {
    "adFailure": Flag("Fail ad service", _SWITCH),
    "adManualGc": Flag("Run full garbage collections in the ad service", _SWITCH),
    "cartFailure": Flag("Fail cart service n% of the time", _SHARE),
    "emailMemoryLeak": Flag("Memory leak in the email service",
                            (("1000x", 1000), ("100x", 100), ("10x", 10), ("off", 0))),
    "imageSlowLoad": Flag("Slow loading of images in the frontend", _DELAY),
    "intlShippingSlowdown": Flag("Delay answers for international shipping", _DELAY),
    "kafkaQueueProblems": Flag("Overload the Kafka queue and delay its consumers", (("off", 0), ("on", 100))),
    "loadGeneratorFloodHomepage": Flag("Flood the homepage with requests", (("off", 0), ("on", 100))),
    "paymentFailure": Flag("Fail charge requests of the payment service n% of the time", _SHARE),
    "paymentUnreachable": Flag("Payment service is unavailable", _SWITCH),
    "productCatalogFailure": Flag("Fail product catalog service on one product", _SWITCH),
    "recommendationCacheFailure": Flag("Fail the cache of the recommendation service", _SWITCH),
}  # fmt: skip


def document(flags: Mapping[str, Flag]) -> str:
    """Return the file flagd reads."""
    entries = {
        name: {
            "description": flag.description,
            "state": flag.state,
            "variants": dict(flag.variants),
            "defaultVariant": flag.variant,
        }
        for name, flag in flags.items()
    }
    return json.dumps({"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": entries}, indent=1)


@lru_cache(maxsize=8)
def parse(text: str) -> Mapping[str, Flag]:
    """Return the flags of a file that `document` made."""
    return {
        name: Flag(entry["description"], tuple(entry["variants"].items()),
                   entry["defaultVariant"], entry["state"])
        for name, entry in json.loads(text)["flags"].items()
    }  # fmt: skip
