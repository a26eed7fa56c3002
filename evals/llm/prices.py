"""What a call costs: by the prices of the settings, else by the price map that LiteLLM carries.

The map is read from its file and not through litellm, which takes seconds and 170 MB to import: who
plans an evaluation wants to know its prices in a web process too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evals.llm.settings import ModelSettings, Prices, PriceTier
from evals.trajectory import Usage

MILLION = 1_000_000
FREE = Prices(0.0, 0.0, 0.0, 0.0, source="baseline")
PRICE_MAP_FILE = "model_prices_and_context_window_backup.json"
LONG_PROMPT_KEY = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
FIELDS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}

Entry = Mapping[str, Any]


def prices_of(settings: ModelSettings) -> Prices | None:
    """Return the prices this model's calls are charged by, or None when they are unknown.

    Prices in the settings count when those of input and output are both given. An entry of the map
    that says 0 for both means "not priced" there, so it is unknown.
    """
    if settings.is_baseline:
        return FREE
    if settings.prices.known:
        return settings.prices
    entry = map_entry(settings.model)
    return None if entry is None else prices_in(entry)


def context_window_of(settings: ModelSettings) -> int | None:
    """Return how many tokens the model can read, or None when neither settings nor map tell."""
    if settings.context_window is not None or settings.is_baseline:
        return settings.context_window
    entry = map_entry(settings.model) or {}
    window = entry.get("max_input_tokens")
    return window if isinstance(window, int) and window > 0 else None


def cost_usd(usage: Usage, prices: Prices) -> float | None:
    """Return the price of one call, or None when it used a kind of token whose price is unknown."""
    rate = rate_for(usage.prompt_tokens, prices)
    charged = (
        (usage.input_tokens, rate.input),
        (usage.cache_read_tokens, rate.cache_read),
        (usage.cache_write_tokens, rate.cache_write),
        (usage.output_tokens, rate.output),
    )
    total = 0.0
    for tokens, price in charged:
        if tokens and price is None:
            return None
        total += tokens * (price or 0.0)
    return total / MILLION


def rate_for(prompt_tokens: int, prices: Prices) -> Prices | PriceTier:
    """Return the highest tier the prompt reaches: a tier prices the whole call, not what is above it."""
    reached = [tier for tier in prices.long_prompts if prompt_tokens > tier.above_tokens]
    return reached[-1] if reached else prices


@lru_cache(maxsize=256)
def map_entry(model: str) -> Entry | None:
    """Return what the price map says of a model, or None."""
    price_map = read_price_map()
    provider, slash, name = model.partition("/")
    if isinstance(entry := price_map.get(model), dict):
        return entry
    entry = price_map.get(name) if slash else None
    # gpt-5.5 stands there without "openai/", but a name alone may belong to another provider.
    return entry if isinstance(entry, dict) and belongs_to(entry, provider) else None


def belongs_to(entry: Entry, provider: str) -> bool:
    """Tell whether an entry is of this provider; "bedrock_converse" is of "bedrock"."""
    told = str(entry.get("litellm_provider", ""))
    return told.startswith(provider) and told[len(provider) :][:1] in ("", "_", "-")


def read_price_map() -> dict[str, Any]:
    """Read the whole map: 3 MB, some 40 ms. Callers keep single entries, never all of it."""
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return {}
    text = Path(package.origin).with_name(PRICE_MAP_FILE).read_text(encoding="utf-8")
    price_map: dict[str, Any] = json.loads(text)
    return price_map


def prices_in(entry: Entry) -> Prices | None:
    if any(prices_reasoning_apart(part) for part in (entry, *entry.get("tiered_pricing", ()))):
        return None
    source = f"litellm {version('litellm')}"
    if ranges := entry.get("tiered_pricing"):
        tiers = tuple(sorted(map(range_tier, ranges), key=lambda tier: tier.above_tokens))
        first = tiers[0]
        prices = Prices(first.input, first.output, first.cache_read, first.cache_write, tiers[1:], source)
    else:
        prices = Prices(**rates(entry), long_prompts=long_prompt_tiers(entry), source=source)
    return prices if prices.known and (prices.input or prices.output) else None


def prices_reasoning_apart(entry: Entry) -> bool:
    apart = entry.get("output_cost_per_reasoning_token")
    return apart is not None and apart != entry.get("output_cost_per_token")


def rates(entry: Entry, suffix: str = "") -> dict[str, float | None]:
    return {kind: per_million(entry.get(key + suffix)) for kind, key in FIELDS.items()}


def long_prompt_tiers(entry: Entry) -> tuple[PriceTier, ...]:
    """Return the tiers of keys like `input_cost_per_token_above_200k_tokens`."""
    base = rates(entry)
    tiers = []
    for thousands in sorted(int(found[1]) for key in entry if (found := LONG_PROMPT_KEY.fullmatch(key))):
        above = rates(entry, f"_above_{thousands}k_tokens")
        # A kind without a price of its own in the tier keeps its usual one.
        kept = {kind: base[kind] if price is None else price for kind, price in above.items()}
        tiers.append(PriceTier(thousands * 1000, **kept))
    return tuple(tiers)


def range_tier(entry: Entry) -> PriceTier:
    """Return the tier of an entry of `tiered_pricing`, whose range is [from, to] in tokens."""
    return PriceTier(int(entry["range"][0]), **rates(entry))


def per_million(per_token: object) -> float | None:
    if isinstance(per_token, bool) or not isinstance(per_token, int | float):
        return None
    return round(per_token * MILLION, 9)
