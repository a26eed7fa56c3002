"""Language models through LiteLLM: the only module that imports it.

Import this in a worker only: litellm takes seconds and 170 MB to load.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_random, wait_random_exponential

from evals.llm import ContextOverflow, Message, ModelError
from evals.llm.baselines import BASELINES, next_message
from evals.llm.failures import Failure, failure_of
from evals.llm.incoming import billed_usd, provider_fields_of, text_of, tool_calls_of, usage_of
from evals.llm.masking import masked
from evals.llm.outgoing import outgoing
from evals.llm.prices import context_window_of, cost_usd, map_entry, prices_of
from evals.llm.settings import BASELINE_PROVIDER, ModelSettings
from evals.trajectory import Reply, Usage

# All three are read while litellm is imported. Without the first it fetches a price map from the
# network; with the second at its default it loads any .env file it finds above the working folder.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_MODE"] = "PRODUCTION"
os.environ.setdefault("LITELLM_LOG", "CRITICAL")

import litellm
from litellm.exceptions import ContextWindowExceededError
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.llms.custom_llm import CustomLLM, CustomLLMError

NO_KEY = "no-key"  # What a server of one's own gets when no key is named: its client insists on one.
NOBODY = "http://127.0.0.1:9"  # Loopback's discard port, where nothing listens.
LONGEST_PAUSE_S = 60
# Full jitter: eight runs that were turned away together must not come back together.
BACK_OFF = wait_random_exponential(multiplier=1, max=LONGEST_PAUSE_S)
AFTER_TOLD_WAIT = wait_random(0, 1)
PLACEHOLDER = {"role": "user", "content": ""}


class AttemptFailed(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.cause)
        self.failure = failure


@dataclass(frozen=True)
class Clock:
    """Time as the retries see it; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class LiteLLMModel:
    """One language model behind LiteLLM. Holds no state: any number of threads may call it at once."""

    def __init__(self, settings: ModelSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.context_window = context_window_of(settings)
        self._prices = prices_of(settings)
        self._clock = clock or Clock()

    def reply(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> Reply:
        """Return the model's next reply; see `ChatModel.reply`."""
        started = self._clock.now()
        request = self._request(messages, tools)
        response = self._with_retries(request, started)
        return replace(self._reply_from(response), duration_s=self._clock.now() - started)

    def ask_once(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> Any:
        """Return LiteLLM's own answer to one attempt; raises whatever it raises."""
        return completion(self._request(messages, tools))

    def _request(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        settings = self.settings
        optional = {
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
            "reasoning_effort": settings.reasoning_effort,
            "api_base": settings.api_base,
            "api_key": api_key(settings),
            "tools": [dict(tool) for tool in tools],
        }
        request = {
            **settings.extra_parameters,
            "model": settings.model,
            "messages": outgoing(messages, settings),
            "timeout": float(settings.timeout_s),
            "max_retries": 0,  # Of the provider's own client. Attempts are counted here, once.
            "num_retries": 0,
            "_skip_mcp_handler": True,  # It would import another package to find no MCP tools.
            **{name: value for name, value in optional.items() if value not in (None, [])},
        }
        return with_messages_beside(request) if is_unknown_server(settings) else request

    def _with_retries(self, request: dict[str, Any], started: float) -> Any:
        deadline = started + self.settings.deadline_s

        def out_of_time(state: RetryCallState) -> bool:
            limit = failure_in(state).attempts
            return self._clock.now() + state.upcoming_sleep >= deadline or (
                limit is not None and state.attempt_number >= limit
            )

        retrying = Retrying(
            retry=retry_if_exception_type(AttemptFailed),
            wait=pause_s,
            stop=out_of_time,
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            return retrying(self._attempt, request, deadline)
        except AttemptFailed as last:
            tries = retrying.statistics["attempt_number"]
            sentence = self._sentence(f"no reply after {tries} attempts; the last: {last.failure.cause}")
            # From None: the chain below holds the provider's own words, and a log would print them whole.
            raise ModelError(sentence) from None

    def _attempt(self, request: dict[str, Any], deadline: float) -> Any:
        """Ask once.

        Raises:
            AttemptFailed: it may go better another time.
            ContextOverflow, ModelError: it will not.
        """
        limit_s = min(self.settings.timeout_s, deadline - self._clock.now())
        try:
            return within(limit_s, lambda: completion(request))
        except ContextWindowExceededError as error:
            failure = replace(failure_of(error), overflow=True)
        except Exception as error:  # LiteLLM raises whatever a provider's road raises.
            failure = failure_of(error)
        if failure.overflow:
            raise ContextOverflow(self._sentence(failure.cause)) from None
        if not failure.retryable:
            raise ModelError(self._sentence(failure.cause)) from None
        raise AttemptFailed(failure) from None

    def _reply_from(self, response: Any) -> Reply:
        choice = response.choices[0]
        told = getattr(response, "usage", None)
        usage = usage_of(told)
        return Reply(
            text=text_of(choice.message.content),
            tool_calls=tool_calls_of(choice.message),
            reasoning=text_of(getattr(choice.message, "reasoning_content", None)),
            usage=usage,
            cost_usd=self._cost_usd(usage, told),
            finish_reason=choice.finish_reason or "",
            provider_fields=provider_fields_of(choice.message, self.settings),
        )

    def _cost_usd(self, usage: Usage | None, told: Any) -> float | None:
        if self.settings.is_baseline:
            return 0.0
        if not self.settings.prices.known and (billed := billed_usd(told)) is not None:
            return billed
        return None if usage is None or self._prices is None else cost_usd(usage, self._prices)

    def _sentence(self, cause: str) -> str:
        return masked(f"{self.settings.model}: {cause}", os.environ)


def completion(request: dict[str, Any]) -> Any:
    response = litellm.completion(**request)
    if not response.choices:
        raise ValueError("there is no choice in the reply")
    return response


def failure_in(state: RetryCallState) -> Failure:
    error = state.outcome.exception() if state.outcome else None
    return error.failure if isinstance(error, AttemptFailed) else Failure("unknown", retryable=True)


def pause_s(state: RetryCallState) -> float:
    """Return how long to wait: what the provider asked for and a bit, else longer and longer at random."""
    told = failure_in(state).wait_s
    return BACK_OFF(state) if told is None else told + AFTER_TOLD_WAIT(state)


def api_key(settings: ModelSettings) -> str | None:
    """Return the key to send, or None to let LiteLLM take the provider's usual variable.

    Raises:
        ModelError: the named variable is not set.
    """
    name = settings.api_key_variable
    if name is None:
        # Never the provider's usual key to somebody else's server.
        own_server = settings.api_base is not None and settings.provider in ("openai", "hosted_vllm")
        return NO_KEY if own_server or settings.is_baseline else None
    if value := os.environ.get(name, "").strip():
        return value
    raise ModelError(
        f"{settings.model}: the environment variable {name}, which should hold its key, is not set"
    )


def is_unknown_server(settings: ModelSettings) -> bool:
    """Tell whether this is OpenAI's protocol spoken by a server and a model that LiteLLM knows nothing of."""
    return (
        settings.provider == "openai" and settings.api_base is not None and map_entry(settings.model) is None
    )


def with_messages_beside(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request with its messages in the body's free part.

    OpenAI's client re-types every message at each call, 20 to 50 ms of pure Python for 50 turns, in
    which no other run of the process moves. What stands in `extra_body` it sends as it is.
    """
    body = {**request.get("extra_body", {}), "messages": request["messages"]}
    return {**request, "messages": [PLACEHOLDER], "extra_body": body}


def within(limit_s: float, call: Callable[[], Any]) -> Any:
    """Return what the call returns, or raise TimeoutError when it takes longer.

    A provider's own timeout counts from byte to byte; a server that sends a blank now and then, as some
    do to keep a connection open, would hold a run for ever. The thread of a call given up ends with its
    connection.
    """
    done = Event()
    result: list[Any] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            result.append(call())
        except Exception as error:  # Raised again by who waits.
            errors.append(error)
        finally:
            done.set()

    Thread(target=work, name="model-call", daemon=True).start()
    if not done.wait(max(limit_s, 0.0)):
        raise TimeoutError(f"no answer in {limit_s:.0f} s")
    if errors:
        raise errors[0]
    return result[0]


class BaselineProvider(CustomLLM):
    """The built-in baselines, on the same road as every other model."""

    def completion(self, *_: Any, **call: Any) -> Any:
        name = call["model"]
        if name not in BASELINES:
            known = ", ".join(sorted(BASELINES))
            raise CustomLLMError(404, f"there is no baseline {name!r}; there are {known}")  # type: ignore[no-untyped-call]
        return litellm.ModelResponse(**next_message(name, call["messages"]))


class RoughEncoding:
    """Stands in for the tokenizer that LiteLLM hands to every road and next to none uses: 40 MB less."""

    def encode(self, text: str, **_: Any) -> list[int]:
        return [0] * (len(text) // 4)


def be_quiet() -> None:
    """Keep LiteLLM from printing, logging, reporting and changing what was asked for."""
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.turn_off_message_logging = True
    litellm.drop_params = False
    litellm.modify_params = False
    litellm.callbacks = []
    # Pydantic warns of LiteLLM's own classes, and of replies that are not quite OpenAI's.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydantic\.")
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def nothing(*_: Any, **__: Any) -> None:
    """Stands in for LiteLLM's record of each call, which nobody here reads."""


def keep_no_books() -> None:
    """Keep LiteLLM from pricing and recording calls: a third of the time of a call, much of it in a thread.

    What a call cost is counted here, from its usage or its bill: see `LiteLLMModel._cost_usd`.
    """
    Logging.success_handler = nothing  # type: ignore[method-assign]
    Logging.failure_handler = nothing  # type: ignore[method-assign]
    Logging.response_cost_calculator = nothing  # type: ignore[method-assign]


def warm_up() -> None:
    """Make LiteLLM load what it puts off until the first call of each road, so that no run waits for it."""
    LiteLLMModel(ModelSettings(f"{BASELINE_PROVIDER}/loudest")).reply([PLACEHOLDER], [])
    for provider in ("openai", "hosted_vllm"):
        model = LiteLLMModel(ModelSettings(f"{provider}/nobody", api_base=NOBODY))
        with suppress(Exception):  # Nobody answers there; all but the answer is loaded by then.
            model.ask_once([PLACEHOLDER], [])


be_quiet()
keep_no_books()
litellm.main.encoding = RoughEncoding()  # type: ignore[assignment]
litellm.custom_provider_map = [{"provider": BASELINE_PROVIDER, "custom_handler": BaselineProvider()}]
