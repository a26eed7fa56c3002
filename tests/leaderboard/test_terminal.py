"""What a sandbox printed is shown in its colours, and does nothing."""

import pytest

from leaderboard.terminal import OPENED_CHARACTERS, coloured, cut, folded, opened


@pytest.mark.parametrize(
    ("raw", "html"),
    [
        ("plain <b>", "plain &lt;b&gt;"),
        ("\x1b[31mred\x1b[0m and not", '<span class="f1">red</span> and not'),
        ("\x1b[1;32;44mloud\x1b[m", '<span class="f2 g4 fb">loud</span>'),
        ("\x1b[91mbright\x1b[39m", '<span class="f9">bright</span>'),
        ("\x1b[2mfaint\x1b[22mplain", '<span class="ff">faint</span>plain'),
        ("\x1b[38;5;196mof 256\x1b[0m", '<span class="f9">of 256</span>'),
        ("\x1b[38;5;3mof 256\x1b[0m", '<span class="f3">of 256</span>'),
        ("\x1b[38;2;0;160;0mtrue colour\x1b[0m", '<span class="f2">true colour</span>'),
        ("\x1b[48;2;10;10;10mblack\x1b[0m", '<span class="g8">black</span>'),
        ("\x1b[31ma<script>\x1b[0m", '<span class="f1">a&lt;script&gt;</span>'),
        ("\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07", "link"),
        ("\x1b[31m\x1b[2Jgone\x1b[H", '<span class="f1">gone</span>'),
        ("\x1b[38;5mhalf\x1b[38;2;1mhalf", "halfhalf"),
        ("\x1b[99999999999999999999mwild", "wild"),
        ("a\x1b", "a"),
    ],
)
def test_colours_are_shown_and_everything_else_is_left_out(raw, html):
    assert coloured(raw) == html


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("nul\0", "nul␀"),
        ("bell\a back\b", "bell␇ back␈"),
        ("\u202egnp.exe", "&lt;U+202E&gt;gnp.exe"),
        ("zero\u200bwidth", "zero&lt;U+200B&gt;width"),
        ("half \ud800", "half &lt;U+D800&gt;"),
        ("10 %\r20 %", "10 %\n20 %"),
    ],
)
def test_what_cannot_be_seen_gets_a_sign(raw, seen):
    assert coloured(raw) == seen


def test_a_folded_text_is_cut_before_an_escape_sequence_and_never_within():
    assert cut("abc\x1b[31mdef", 5) == "abc"
    assert cut("abc\x1b[31mdef", 3) == "abc"
    assert cut("abc\x1b[31mdef", 8) == "abc\x1b[31m"
    assert cut("abc", 8) == "abc"


def test_of_megabytes_in_one_line_a_page_shows_what_a_browser_can_bear():
    text = opened("x" * 5_000_000)
    assert (len(text.shown), text.whole, text.characters) == (OPENED_CHARACTERS, False, 5_000_000)


def test_a_fold_shows_eight_lines_and_counts_all():
    text = folded("".join(f"\x1b[32mline {n}\x1b[0m\r\n" for n in range(30)))
    assert (text.lines, text.whole) == (30, False)
    assert text.shown.count("\n") == 7
    assert '<span class="f2">line 7</span>' in text.shown
