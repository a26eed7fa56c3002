"""What a language model is called with."""

from __future__ import annotations

from dataclasses import dataclass, field

BASELINE_PROVIDER = "baseline"

# What this package sets itself in every call; an operator's extra parameters must not fight with it.
RESERVED_PARAMETERS = (
    "model", "messages", "tools", "stream", "n", "api_base", "base_url", "api_key", "timeout", "max_retries",
    "num_retries", "client", "temperature", "max_tokens", "reasoning_effort", "callbacks",
    "success_callback", "failure_callback", "mock_response", "fallbacks",
)  # fmt: skip


@dataclass(frozen=True)
class PriceTier:
    """The prices of calls whose whole prompt is longer than `above_tokens`."""

    above_tokens: int
    input: float | None = None  # this and the rest: US dollars per million tokens
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens of each kind; None is unknown, 0 is free."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    long_prompts: tuple[PriceTier, ...] = ()  # rising by above_tokens
    source: str = "settings"  # or "baseline", or the price map they were read from

    @property
    def known(self) -> bool:
        """Whether calls without a cache can be priced."""
        return self.input is not None and self.output is not None


@dataclass(frozen=True)
class ModelSettings:
    """One language model with its parameters. JSON-ready but for the prices' class; holds no secret.

    Raises:
        ValueError: something here can't work; the message says what was expected.
    """

    model: str  # LiteLLM's name: "openai/gpt-5.5", "hosted_vllm/qwen3", "baseline/detective"
    api_base: str | None = None  # of a server of one's own; None: the provider's
    api_key_variable: str | None = None  # name of an environment variable; None: the provider's usual one
    temperature: float | None = None  # None: not sent, as for the next two
    max_tokens: int | None = None  # of one reply
    reasoning_effort: str | None = None
    extra_parameters: dict[str, object] = field(default_factory=dict)  # sent as they are
    context_window: int | None = None  # tokens; None: look it up, may stay unknown
    prices: Prices = Prices()
    timeout_s: float = 600  # of one attempt, from the first byte sent to the last received
    deadline_s: float = 1800  # of one reply with all its attempts and the pauses between

    def __post_init__(self) -> None:
        if not self.model.strip("/ ") or self.model != self.model.strip():
            raise ValueError(f"model {self.model!r}: expected LiteLLM's provider/name")
        if self.timeout_s <= 0 or self.deadline_s <= 0:
            raise ValueError(
                f"timeout {self.timeout_s} s, deadline {self.deadline_s} s: expected more than 0"
            )
        if reserved := [name for name in RESERVED_PARAMETERS if name in self.extra_parameters]:
            raise ValueError(
                f"extra parameters {', '.join(reserved)}: set by their own settings or not at all"
            )

    @property
    def provider(self) -> str:
        """LiteLLM's name of the provider, or "" for a bare model name."""
        return self.model.partition("/")[0] if "/" in self.model else ""

    @property
    def name(self) -> str:
        """The model's name as its provider knows it."""
        return self.model.partition("/")[2] if "/" in self.model else self.model

    @property
    def is_baseline(self) -> bool:
        return self.provider == BASELINE_PROVIDER
