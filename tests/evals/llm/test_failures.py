"""The words and numbers by which a failure is told."""

from __future__ import annotations

import httpx
import pytest

from evals.llm.failures import LONGEST_CAUSE, answered, failure_of, told_wait
from evals.llm.masking import masked


def response(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, text=text, request=httpx.Request("POST", "http://x/"))


@pytest.mark.parametrize(
    "words",
    [
        "max_tokens must be at least 1, got -20.",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "the input length exceeds the context length",
        "Trying to keep the first 4000 tokens when context the overflows.",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
        "input length and `max_tokens` exceed context limit: 198000 + 8192 > 200000",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
        "Input is too long for requested model.",
    ],
)
def test_words_for_too_long_are_known(words: str):
    assert answered(response(400, words)).overflow


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "temperature must be between 0 and 2"),
        (401, "maximum context length of your key exceeded"),
        (429, "maximum context length tokens per minute reached"),
    ],
)
def test_other_refusals_are_not_taken_for_too_long(status: int, words: str):
    assert not answered(response(status, words)).overflow


def test_googles_wait_is_read_from_the_body():
    assert told_wait(httpx.Headers(), '{"@type": "RetryInfo", "retryDelay": "37s"}') == 37


@pytest.mark.parametrize("told", ["soon", "nan", "inf", "-3", ""])
def test_a_wait_that_is_none_is_left_to_the_back_off(told: str):
    assert told_wait(httpx.Headers({"retry-after": told}), "") is None


def test_a_google_quota_by_the_minute_is_waited_for():
    words = '{"error": {"message": "You exceeded your current quota", "retryDelay": "5s"}}'
    failure = answered(response(429, words))
    assert (failure.retryable, failure.wait_s) == (True, 5)


def test_a_page_of_html_is_cut_to_a_line():
    assert len(answered(response(502, "<html>" + "x" * 9000)).cause) < LONGEST_CAUSE + 100


def test_a_traceback_in_an_error_stays_out_of_the_cause():
    text = "Invalid response object Traceback (most recent call last):\n  File '/somewhere/x.py'"
    assert "Traceback" not in failure_of(ValueError(text)).cause


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Incorrect API key provided: sk-proj-abcdefghijklmnop", "Incorrect API key provided: ***"),
        ("GET https://x/models?key=AIzaSyD-secret-value&alt=json", "GET https://x/models?key=***&alt=json"),
        ("http://me:hunter2@proxy:3128 refused", "http://***@proxy:3128 refused"),
        ("authorization: Bearer abc.def.ghi", "authorization: Bearer ***"),
        ("the set value tango-42 leaked", "the set value *** leaked"),
        (
            "the task-force is asked about risk-management-plans",
            "the task-force is asked about risk-management-plans",
        ),
    ],
)
def test_secrets_are_masked_and_words_are_not(text: str, kept: str):
    environment = {"LAB_API_KEY": "tango-42", "PATH": "leaked", "SHORT_KEY": "the"}
    assert masked(text, environment) == kept
