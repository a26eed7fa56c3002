"""Why an attempt to get a reply failed, in words, and whether to try again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

LONGEST_CAUSE = 400  # characters: some gateways answer with a whole page of HTML
UNREADABLE_ATTEMPTS = 5  # A reply nobody can read may be an accident, or how this server always answers.
RETRIED_STATUSES = frozenset({408, 409, 425, 429})  # and all from 500 on
OVERFLOW_STATUSES = frozenset({None, 200, 400, 413, 422, 500})

# Words for "your conversation is too long" of vLLM, SGLang, llama.cpp, Ollama, LM Studio, TGI and the
# hosted providers. LiteLLM knows most of them, not all, and not behind every route.
OVERFLOW = re.compile(
    r"context[ _]length[ _]exceeded|exceed_context_size|maximum context length|maximum model length"
    r"|exceeds? (?:the |your |this model's )?(?:available |maximum )?context|exceeds? max(?:imum)? length"
    r"|longer than the (?:model's )?(?:context|maximum)|exceeds? the maximum number of (?:input )?tokens"
    r"|prompt is too long|input is too long|input length exceeds|prompt (?:contains|has) .{0,40}too large"
    r"|tokens? \+ `?max_new_tokens`? must be|max_tokens must be at least 1, got -"
    r"|context the overflows|context (?:window|size) (?:is )?exceeded"
    r"|reduce the length of the (?:messages|input)",
    re.IGNORECASE,
)
# A quota that time alone does not refill. "Exceeded your current quota" is not among the words: Gemini
# says so of its quota by the minute.
USED_UP = re.compile(
    r"insufficient[_ ](?:quota|balance|credits?|funds)|billing_hard_limit|credit balance is too low"
    r"|request too large",
    re.IGNORECASE,
)
RETRY_DELAY = re.compile(r'"retryDelay":\s*"(\d+(?:\.\d+)?)s"')  # Google says it in the body only
LITELLM_PREFIX = re.compile(r"^(?:litellm\.)?(?:\w+(?:Error|Exception)(?:: | - ))+")


@dataclass(frozen=True)
class Failure:
    """One failed attempt."""

    cause: str  # in words, short, not yet masked
    retryable: bool
    overflow: bool = False  # the conversation is too long for the model
    wait_s: float | None = None  # what the provider asked for
    attempts: int | None = None  # after how many to give up; None: the deadline decides


def failure_of(error: Exception) -> Failure:
    """Tell what an exception out of LiteLLM means.

    The HTTP answer is looked for at the root of the exception's chain: what LiteLLM makes of it on the
    way up differs from provider to provider, and its exceptions carry made-up answers.
    """
    links = list(chain(error))
    for link in links:
        if isinstance(link, httpx.HTTPStatusError):
            return answered(link.response)
    for link in links:
        if isinstance(link, httpx.TimeoutException | TimeoutError):
            return Failure("no answer in time", retryable=True)
        if isinstance(link, httpx.TransportError | ConnectionError):
            return Failure(f"the connection failed: {first_line(str(link))}", retryable=True)
    return refused(error)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def answered(response: httpx.Response) -> Failure:
    """Return the failure of an HTTP answer that is an error."""
    status, body = response.status_code, response_text(response)
    wait_s = told_wait(response.headers, body)
    cause = f"the provider answered {status}: {provider_message(body) or response.reason_phrase}"
    return judged(status, body, Failure(cause, retryable=False, wait_s=wait_s))


def refused(error: Exception) -> Failure:
    """Return the failure of an exception without HTTP error: a bad parameter, an error in a 200, garbage."""
    status, text = getattr(error, "status_code", None), str(error)
    cause = first_line(LITELLM_PREFIX.sub("", text)) or type(error).__name__
    failure = judged(status, text, Failure(cause, retryable=False))
    # 500 is also what LiteLLM calls whatever it does not understand.
    if failure.overflow or not failure.retryable or status not in (None, 200, 500):
        return failure
    return Failure(f"the reply could not be read: {cause}", retryable=True, attempts=UNREADABLE_ATTEMPTS)


def judged(status: int | None, text: str, failure: Failure) -> Failure:
    """Return the failure with what its status and words say about trying again."""
    if status in OVERFLOW_STATUSES and OVERFLOW.search(text):
        return Failure(failure.cause, retryable=False, overflow=True)
    if status == 413:
        return Failure(failure.cause, retryable=False, overflow=True)
    used_up = status == 429 and failure.wait_s is None and USED_UP.search(text)
    retryable = not used_up and (
        status is None or status == 200 or status in RETRIED_STATUSES or status >= 500
    )
    return Failure(failure.cause, retryable=retryable, wait_s=failure.wait_s)


def told_wait(headers: httpx.Headers, body: str) -> float | None:
    """Return how many seconds the provider wants to be left alone, or None when it does not say."""
    if (milliseconds := seconds(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    told = headers.get("retry-after")
    if told is not None:
        number = seconds(told)
        return seconds_until(told, headers.get("date")) if number is None else number
    found = RETRY_DELAY.search(body)
    return float(found[1]) if found else None


def seconds(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None  # "nan" and "inf" are numbers too


def seconds_until(date: str, now: str | None) -> float | None:
    """Return the seconds from `now`, the server's own clock where it tells, to an HTTP date."""
    try:
        then = parsedate_to_datetime(date)
        start = parsedate_to_datetime(now) if now else datetime.now(UTC)
        return max((then - start).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def response_text(response: httpx.Response) -> str:
    try:
        return response.text
    except (httpx.HTTPError, httpx.StreamError):
        return ""  # The connection broke off before the body was there.


def provider_message(body: str) -> str:
    """Return the message of a JSON body in OpenAI's, vLLM's or FastAPI's shape, else the first line."""
    try:
        told = json.loads(body)
    except ValueError:
        return first_line(body)
    error = told.get("error", told) if isinstance(told, dict) else told
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error
    return first_line(error if isinstance(error, str) else json.dumps(error))


def first_line(text: str) -> str:
    line = text.partition("Traceback (most recent call last)")[0].strip().partition("\n")[0]
    return line if len(line) <= LONGEST_CAUSE else line[:LONGEST_CAUSE] + " ..."
