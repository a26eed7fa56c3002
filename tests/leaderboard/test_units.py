"""Numbers as people read them, and text from a terminal made fit for a page."""

import pytest

from leaderboard import units
from leaderboard.grids import score_class
from leaderboard.middleware import POLICY
from leaderboard.terminal import folded, readable

DASH = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (units.percent, 0.47, "47 %"),
        (units.percent, None, DASH),
        (units.score, 1.0, "1"),
        (units.score, 0.0, "0"),
        (units.score, 1 / 3, "0.33"),
        (units.dollars, 1.234, "$1.23"),
        (units.dollars, 0.0, "$0.00"),
        (units.dollars, 0.0123, "$0.01"),
        (units.dollars, 0.00042, "$0.00042"),
        (units.dollars, 1e-9, "$0.00"),
        (units.dollars, 12345.6, "$12,345.60"),
        (units.dollars, None, DASH),
        (units.count, 950, "950"),
        (units.count, 999.9, "1.0 k"),
        (units.count, 12_345, "12.3 k"),
        (units.count, 1_200_000, "1.2 M"),
        (units.count, 250_000, "250 k"),
        (units.count, None, DASH),
        (units.decimal, 30.04, "30.0"),
        (units.duration, 0.0, "0.0 s"),
        (units.duration, 0.004, "4 ms"),
        (units.duration, 9.96, "10.0 s"),
        (units.duration, 59.6, "1 min 0 s"),
        (units.duration, 192, "3 min 12 s"),
        (units.duration, 7500, "2 h 5 min"),
        (units.duration, None, DASH),
        (units.size, 640, "640 B"),
        (units.size, 20_000, "20 kB"),
        (units.size, 31_000_000_000, "31.0 GB"),
        (units.ago, 5, "just now"),
        (units.ago, 61, "1 minute ago"),
        (units.ago, 86_400 * 3, "3 days ago"),
    ],
)
def test_numbers_carry_their_unit(write, value, text):
    assert write(value).replace(units.SPACE, " ") == text


@pytest.mark.parametrize(
    ("score", "step"),
    [
        (None, "s-none"),
        (0, "s0"),
        (0.1, "s1"),
        (0.25, "s2"),
        (1 / 3, "s2"),
        (0.5, "s3"),
        (0.75, "s4"),
        (1, "s5"),
    ],
)
def test_the_scale_of_scores_has_an_end_of_its_own_for_nothing_and_for_all(score, step):
    assert score_class(score) == step


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bplain\x1b=", "plain"),
        ("\x1b[?25l\x1b[2Kgone", "gone"),
        ("half\x1b[", "half"),
        ("10 %\r20 %\r\n", "10 %\n20 %\n"),
        ("a\x00b\x08c\x7f\x9bd", "a␀b␈c␡<U+009B>d"),
        ("evil\u202egnp.exe", "evil<U+202E>gnp.exe"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("naïve ☃ 日本", "naïve ☃ 日本"),
    ],
)
def test_a_terminals_text_is_readable_without_its_escapes(raw, plain):
    assert readable(raw) == plain


def test_one_very_long_line_is_folded_too():
    text = folded("x" * 20_000)
    assert (text.whole, text.lines, text.characters) == (False, 1, 20_000)
    assert len(text.shown) < 1000


def test_an_empty_output_has_no_lines():
    assert (folded("\n").shown, folded("").lines) == ("", 0)


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere():
    assert POLICY["default-src"] == "'none'"
    assert POLICY["script-src"] == POLICY["style-src"] == "'self'"
    assert not any("http" in value or "*" in value or "eval" in value for value in POLICY.values())
