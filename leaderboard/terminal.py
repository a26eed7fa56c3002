"""Text out of a sandbox or a model, made fit for a page: harmless, legible, of bearable length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from evals.exchange.asciicast import STDERR_OPENS, STDOUT_OPENS

FOLD_LINES = 20
FOLD_CHARACTERS = 2000
# Of a folded text only this much is sent with the page: twenty turns of them stay below some kilobytes.
PREVIEW_LINES = 8
PREVIEW_CHARACTERS = 640
# Of a text that was opened: a browser lays out a line of megabytes for seconds. The plain text has it all.
OPENED_CHARACTERS = 200_000

COLOUR = re.compile(r"\x1b\[([\d;:]*)m")
ESCAPE_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS and the like: titles, links
    r"|\x1b[ -/]*[0-~]?"  # the short ones
)
# Control characters but tab and line feed, and those that turn the direction of text around or hide in it.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
CONTROL_PICTURES = 0x2400  # Unicode's block of signs for what can't be seen


@dataclass(frozen=True)
class Folded:
    """A text of which a page shows all, or the beginning."""

    shown: SafeString  # HTML
    lines: int
    characters: int
    whole: bool


@dataclass(frozen=True)
class Look:
    """How a terminal would show a piece of text. Colours are 0 to 15, None: as usual."""

    ink: int | None = None
    ground: int | None = None
    bold: bool = False
    faint: bool = False

    @property
    def classes(self) -> str:
        names = (
            f"f{self.ink}" if self.ink is not None else "",
            f"g{self.ground}" if self.ground is not None else "",
            "fb" if self.bold else "",
            "ff" if self.faint else "",
        )
        return " ".join(filter(None, names))


PLAIN = Look()


def readable(text: str) -> str:
    """Return the text without escape sequences, with signs for what can't be seen.

    A line that a terminal would write over stays a line.
    """
    return seen(ESCAPE_SEQUENCE.sub("", one_kind_of_line_end(text)))


def one_kind_of_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def one_line(text: str) -> str:
    """Return a piece of a text in one line, without the tags that the shell tool writes around it."""
    printed = text.rpartition(STDOUT_OPENS)[2].partition(STDERR_OPENS)[0]
    return seen(" ".join(ESCAPE_SEQUENCE.sub("", printed).replace("\r", " ").split("\n")))


def seen(text: str) -> str:
    return UNPRINTABLE.sub(sign_of, text)


def sign_of(found: re.Match[str]) -> str:
    """Return what stands for a character that a terminal would obey: ␀ for NUL, <U+202E> for later ones."""
    code = ord(found.group())
    if code < 0x20:
        return chr(CONTROL_PICTURES + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def coloured(text: str) -> SafeString:
    """Return the text as HTML, with the colours that its escape sequences ask for and nothing else."""
    ended = one_kind_of_line_end(text)
    if "\x1b" not in ended:
        return escape(seen(ended))
    return mark_safe("".join(span(piece, look) for piece, look in pieces(ended)))  # noqa: S308 - each is escaped


def span(piece: str, look: Look) -> str:
    shown = escape(seen(ESCAPE_SEQUENCE.sub("", piece)))
    return f'<span class="{look.classes}">{shown}</span>' if shown and look != PLAIN else shown


def pieces(text: str) -> Iterator[tuple[str, Look]]:
    """Yield the text between changes of colour, each with its look."""
    look, start = PLAIN, 0
    for change in COLOUR.finditer(text):
        yield text[start : change.start()], look
        look, start = changed(look, change.group(1)), change.end()
    yield text[start:], look


def changed(look: Look, parameters: str) -> Look:
    """Return the look after one SGR sequence. https://en.wikipedia.org/wiki/ANSI_escape_code#SGR"""
    codes = [int(code[:4] or 0) for code in re.split("[;:]", parameters)]
    ink, ground, bold, faint = look.ink, look.ground, look.bold, look.faint
    while codes:
        code = codes.pop(0)
        if code == 0:
            ink, ground, bold, faint = None, None, False, False
        elif code in (1, 2):
            bold, faint = bold or code == 1, faint or code == 2
        elif code == 22:
            bold = faint = False
        elif code in (38, 48):
            colour = extended_colour(codes)
            ink, ground = (colour, ground) if code == 38 else (ink, colour)
        elif code in SIMPLE_INKS:
            ink = SIMPLE_INKS[code]
        elif code in SIMPLE_GROUNDS:
            ground = SIMPLE_GROUNDS[code]
    return Look(ink, ground, bold, faint)


SIMPLE_INKS: dict[int, int | None] = {
    39: None, **{30 + n: n for n in range(8)}, **{90 + n: 8 + n for n in range(8)},
}  # fmt: skip
SIMPLE_GROUNDS = {code + 10: colour for code, colour in SIMPLE_INKS.items()}


def extended_colour(codes: list[int]) -> int | None:
    """Take a colour of 256, or of red, green and blue, off the codes; return the nearest of the sixteen.

    Sixteen that are legible on this page's ground say more than millions that may not be.
    """
    kind = codes.pop(0) if codes else 0
    if kind == 5 and codes:
        number = codes.pop(0)
        return number if number < 16 else nearest(*of_palette(min(number, 255)))
    if kind == 2 and len(codes) >= 3:
        red, green, blue = (min(codes.pop(0), 255) for _ in range(3))
        return nearest(red, green, blue)
    codes.clear()  # cut short: what is left is no code of its own
    return None


def of_palette(number: int) -> tuple[int, int, int]:
    """Return red, green and blue of one of the colours 16 to 255: a cube of six levels, then greys."""
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    levels = (0, 95, 135, 175, 215, 255)
    cube = number - 16
    return levels[cube // 36], levels[cube // 6 % 6], levels[cube % 6]


def nearest(red: int, green: int, blue: int) -> int:
    """Return the colour of the sixteen with the same hue: bit 0 is red, 1 green, 2 blue, 8 more is bright."""
    most = max(red, green, blue)
    if most < 48:
        return 8  # black can't be read on black
    hue = sum(1 << bit for bit, value in enumerate((red, green, blue)) if value > 0.6 * most)
    return hue + (8 if most > 200 else 0)


def folded(text: str) -> Folded:
    """Return what a page shows of a text before it is asked for more."""
    whole_text = text.rstrip("\r\n")
    lines = one_kind_of_line_end(whole_text).count("\n") + 1 if whole_text else 0
    if lines <= FOLD_LINES and len(whole_text) <= FOLD_CHARACTERS:
        return Folded(coloured(whole_text), lines, len(whole_text), whole=True)
    # Only the beginning is looked at: an output may have megabytes, and escape sequences are not shown.
    beginning = one_kind_of_line_end(whole_text[: 4 * PREVIEW_CHARACTERS])
    preview = "\n".join(beginning.split("\n", PREVIEW_LINES)[:PREVIEW_LINES])
    return Folded(coloured(cut(preview, PREVIEW_CHARACTERS)), lines, len(whole_text), whole=False)


def cut(text: str, characters: int) -> str:
    """Return at most so many characters, and never half an escape sequence."""
    if len(text) <= characters:
        return text
    return next(
        (
            text[: found.start()]
            for found in ESCAPE_SEQUENCE.finditer(text)
            if found.start() < characters < found.end()
        ),
        text[:characters],
    )


def opened(text: str) -> Folded:
    """Return what a page shows of a text that was asked for."""
    lines = text.count("\n") + 1
    whole = len(text) <= OPENED_CHARACTERS
    return Folded(coloured(cut(text, OPENED_CHARACTERS)), lines, len(text), whole=whole)
