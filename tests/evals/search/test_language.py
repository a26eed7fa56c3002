"""What is typed into the search is read the same way whatever it is."""

import pytest
from hypothesis import given, strategies

from evals.search.language import FIELDS, Clause, SearchError, Term, parse_search, words_of


def word(text, **more):
    return Term((text,), **more)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("", ()),
        ("refused", (Clause((word("refused"),)),)),
        ("connection refused", (Clause((word("connection"), word("refused"))),)),
        ('"connection refused"', (Clause((Term(("connection", "refused")),)),)),
        ("flagd-config", (Clause((Term(("flagd", "config")),)),)),
        ("k8s_events_raw.tsv", (Clause((Term(("k8s", "events", "raw", "tsv")),)),)),
        ("Network*", (Clause((word("network", prefix=True),)),)),
        ('"kubectl ge"*', (Clause((Term(("kubectl", "ge"), prefix=True),)),)),
        (
            "command:NetworkPolicy -answer:NetworkPolicy",
            (
                Clause((word("networkpolicy"),), "command"),
                Clause((word("networkpolicy"),), "answer", negative=True),
            ),
        ),
        ('OUTPUT:"no such" ls', (Clause((word("ls"),)), Clause((Term(("no", "such")),), "output"))),
        ("-refused", (Clause((word("refused"),), None, True),)),
        ("http://host:80/x", (Clause((Term(("http", "host", "80", "x")),)),)),
        ("kind:Pod", (Clause((Term(("kind", "pod")),)),)),
        ('say "half', (Clause((word("say"), word("half"))),)),
        ("Ünïcode 日本", (Clause((word("ünïcode"), word("日本"))),)),
    ],
)  # fmt: skip
def test_a_search_is_made_of_clauses(text, clauses):
    assert parse_search(text).clauses == clauses


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('%%% --- ""', "needs a letter or a digit"),
        ("ab*", "at least 3 letters"),
        ("x" * 401, "at most 400 characters"),
        (" ".join("abcdefghijklmnopqrstuvwxyz"), "at most 12 conditions and 24 words"),
        ("-a -b -c -d -e -f -g -h -i -j -k -l -m", "at most 12 conditions"),
    ],
)
def test_what_cannot_be_searched_for_is_said_in_a_sentence(text, sentence):
    with pytest.raises(SearchError, match=sentence):
        parse_search(text)


@given(strategies.text(max_size=60))
def test_any_text_is_a_search_or_has_a_sentence(text):
    try:
        clauses = parse_search(text).clauses
    except SearchError:
        clauses = ()
    for clause in clauses:
        assert clause.field in (None, *FIELDS)
        assert clause.terms
        assert all(part.isalnum() and part == part.lower() for term in clause.terms for part in term.words)


@given(strategies.lists(strategies.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), min_size=1, max_size=5))
def test_words_are_found_whatever_stands_between_them(words):
    assert words_of(" -_./:".join(words)) == tuple(words)
