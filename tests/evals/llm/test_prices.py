"""Prices and costs, against LiteLLM's own arithmetic where it has one."""

from __future__ import annotations

import litellm
import pytest

from evals.llm.prices import context_window_of, cost_usd, prices_of
from evals.llm.settings import ModelSettings, Prices, PriceTier
from evals.trajectory import Usage

# One for each shape of the map: bare name, prefixed name, tiers by suffix, Bedrock's own naming.
MAPPED = (
    "openai/gpt-5.5",
    "anthropic/claude-sonnet-4-5",
    "gemini/gemini-2.5-pro",
    "deepseek/deepseek-chat",
    "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
)


@pytest.mark.parametrize("model", MAPPED)
@pytest.mark.parametrize("prompt", [1_000, 400_000])
def test_a_mapped_model_costs_what_litellm_says(model: str, prompt: int):
    prices = prices_of(ModelSettings(model))
    assert prices is not None
    input_cost, output_cost = litellm.cost_per_token(model=model, prompt_tokens=prompt, completion_tokens=500)
    usage = Usage(input_tokens=prompt, output_tokens=500)
    assert cost_usd(usage, prices) == pytest.approx(input_cost + output_cost)


@pytest.mark.parametrize("model", MAPPED)
def test_a_window_is_read_from_the_map(model: str):
    assert context_window_of(ModelSettings(model)) == litellm.get_model_info(model)["max_input_tokens"]


def test_the_settings_win_over_the_map():
    own = Prices(input=1.0, output=2.0)
    assert prices_of(ModelSettings("openai/gpt-5.5", prices=own)) is own
    assert context_window_of(ModelSettings("openai/gpt-5.5", context_window=1234)) == 1234


@pytest.mark.parametrize(
    "model", ["hosted_vllm/qwen3", "ollama/llama3", "openai/of-our-own", "nothing-known"]
)
def test_a_model_without_a_price_has_none_and_not_zero(model: str):
    assert prices_of(ModelSettings(model)) is None


def test_half_a_price_is_no_price():
    assert prices_of(ModelSettings("hosted_vllm/m", prices=Prices(input=1.0))) is None


def test_a_price_of_zero_that_somebody_set_is_a_price():
    free = Prices(input=0.0, output=0.0)
    assert prices_of(ModelSettings("hosted_vllm/m", prices=free)) == free
    assert cost_usd(Usage(input_tokens=5, output_tokens=5), free) == 0.0


@pytest.mark.parametrize("name", ["loudest", "detective", "exhaustive"])
def test_baselines_are_known_to_cost_nothing(name: str):
    prices = prices_of(ModelSettings(f"baseline/{name}"))
    assert prices is not None
    usage = Usage(input_tokens=9, cache_read_tokens=9, cache_write_tokens=9, output_tokens=9)
    assert cost_usd(usage, prices) == 0.0


def test_every_kind_of_token_has_its_own_price():
    prices = Prices(input=3.0, output=15.0, cache_read=0.3, cache_write=3.75)
    usage = Usage(
        input_tokens=1_000_000,
        cache_read_tokens=2_000_000,
        cache_write_tokens=400_000,
        output_tokens=100_000,
        reasoning_tokens=90_000,
    )
    assert cost_usd(usage, prices) == pytest.approx(3.0 + 0.6 + 1.5 + 1.5)


def test_a_kind_without_a_price_makes_the_cost_unknown_only_when_it_was_used():
    prices = Prices(input=3.0, output=15.0)
    assert cost_usd(Usage(input_tokens=10, cache_read_tokens=1, output_tokens=1), prices) is None
    assert cost_usd(Usage(input_tokens=10, output_tokens=1), prices) is not None


def test_a_long_prompt_is_charged_whole_by_its_tier():
    tiers = (PriceTier(100, input=2.0, output=4.0), PriceTier(200, input=5.0, output=6.0))
    prices = Prices(input=1.0, output=2.0, long_prompts=tiers)
    costs = [cost_usd(Usage(input_tokens=tokens), prices) for tokens in (100, 101, 201)]
    assert costs == pytest.approx([100 * 1 / 1e6, 101 * 2 / 1e6, 201 * 5 / 1e6])
