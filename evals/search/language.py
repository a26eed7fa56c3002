"""What a person types into the search, as clauses. Plain Python; knows no database.

    connection refused                  both words in one place: one message, or one command with its output
    "connection refused"                the words one after the other
    flagd*                              words that begin so
    command:NetworkPolicy               in a command; also output: message: reasoning: answer:
    -answer:NetworkPolicy               runs that have it nowhere there

Words without a field belong together. Every other clause is judged on the whole run by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FIELDS = ("command", "output", "message", "reasoning", "answer")
MOST_CHARACTERS = 400
MOST_CLAUSES = 12
MOST_WORDS = 24
LEAST_OF_PREFIX = 3  # letters: fewer begin half of all words

PIECE = re.compile(
    r'(?P<not>-)?(?:(?P<field>[A-Za-z]+):)?(?:"(?P<phrase>[^"]*)"(?P<after>\*)?|(?P<word>\S+))'
)
WORD = re.compile(r"[^\W_]+")


class SearchError(Exception):
    """What was typed can't be searched for; the sentence says why."""


@dataclass(frozen=True)
class Term:
    """Words that stand one after the other; of a prefix the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False

    def __str__(self) -> str:
        text = " ".join(self.words) + ("*" if self.prefix else "")
        return f'"{text}"' if len(self.words) > 1 else text


@dataclass(frozen=True)
class Clause:
    """Terms that all stand in one place of a run; or, where it is negative, in none."""

    terms: tuple[Term, ...]
    field: str | None = None  # None: anywhere
    negative: bool = False


@dataclass(frozen=True)
class Search:
    clauses: tuple[Clause, ...]

    @property
    def positive(self) -> tuple[Clause, ...]:
        return tuple(clause for clause in self.clauses if not clause.negative)

    @property
    def negative(self) -> tuple[Clause, ...]:
        return tuple(clause for clause in self.clauses if clause.negative)


def parse_search(text: str) -> Search:
    """Read what was typed.

    Raises:
        SearchError: too long, or nothing in it can be searched for.
    """
    if len(text) > MOST_CHARACTERS:
        raise SearchError(f"A search has at most {MOST_CHARACTERS} characters.")
    together: list[Term] = []
    clauses: list[Clause] = []
    for piece in PIECE.finditer(text):
        field, term = field_and_term(piece)
        if term is None:
            continue
        negative = piece["not"] is not None
        if field is None and not negative:
            together.append(term)
        else:
            clauses.append(Clause((term,), field, negative))
    if together:
        clauses.insert(0, Clause(tuple(together)))
    check(text, clauses)
    return Search(tuple(clauses))


def check(text: str, clauses: list[Clause]) -> None:
    if text.strip() and not clauses:
        raise SearchError("A search needs a letter or a digit: signs are not searched for.")
    terms = [term for clause in clauses for term in clause.terms]
    words = sum(len(term.words) for term in terms)
    beginnings = [term.words[0] for term in terms if term.prefix and len(term.words) == 1]
    if any(len(word) < LEAST_OF_PREFIX for word in beginnings):
        raise SearchError(f"A word before * needs at least {LEAST_OF_PREFIX} letters.")
    if len(clauses) > MOST_CLAUSES or words > MOST_WORDS:
        raise SearchError(f"A search has at most {MOST_CLAUSES} conditions and {MOST_WORDS} words.")


def field_and_term(piece: re.Match[str]) -> tuple[str | None, Term | None]:
    """Return the field and what is sought in it; a name before a colon that is no field is a mere word."""
    field = (piece["field"] or "").lower()
    text = piece["phrase"] if piece["phrase"] is not None else piece["word"]
    if field and field not in FIELDS:
        text, field = f"{field} {text}", ""
    words = words_of(text)
    prefix = piece["after"] is not None or (piece["phrase"] is None and text.endswith("*"))
    return field or None, Term(words, prefix) if words else None


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as both databases index them: letters and digits, in lower case."""
    return tuple(WORD.findall(text.lower()))
