"""A run as Markdown: for a pull request, a report, or another model to read.

All text from outside stands in fences or code spans, so that nothing in it is a picture, a mention or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from evals.exchange.asciicast import ending_of, shell_streams
from evals.exchange.incoming import Given
from evals.exchange.run_facts import newest_grade
from evals.exchange.stored_turns import StoredTurn, told_turns
from evals.models import Grade, Run, ToolCall
from evals.trajectory import TurnKind
from leaderboard import units
from leaderboard.terminal import readable
from leaderboard.verdicts import outcome_sentence, verdicts_of

# A text within both limits is shown whole; of a longer one its beginning and its end.
WHOLE_LINES, WHOLE_CHARACTERS = 40, 3000
HEAD_LINES, HEAD_CHARACTERS = 20, 1500
TAIL_LINES, TAIL_CHARACTERS = 10, 750
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
CUT = "Long texts are cut to their beginning and their end; the run's JSON document has them whole."


def markdown_pieces(run: Run) -> Iterator[bytes]:
    """Yield the run with long texts cut, and a notice where they are."""
    return pieces(run, whole=False)


def whole_markdown_pieces(run: Run) -> Iterator[bytes]:
    return pieces(run, whole=True)


def pieces(run: Run, *, whole: bool) -> Iterator[bytes]:
    yield encoded([*head(run), *([] if whole else [CUT])])
    empty = True
    for turn in told_turns(run):
        empty = False
        # What our own loop tells every agent is no news.
        told = turn.told if run.evaluation.imported else ()
        yield encoded([*told_blocks(told, whole=whole), *turn_blocks(turn, whole=whole)])
    if empty:
        yield encoded(["No turn was recorded."])


def encoded(blocks: list[str]) -> bytes:
    return "".join(f"{block}\n\n" for block in blocks).encode(errors="replace")


def head(run: Run) -> list[str]:
    grade = newest_grade(run)
    evaluation, task = run.evaluation, run.task
    score = f" Score {units.score(grade.score)}." if grade else ""
    title = f"{evaluation.language_model} on {task.slug}, repeat {run.repeat}"
    facts = [
        f"Benchmark: {plain(evaluation.benchmark.name)}",
        *([f"Task: {plain(task.title)}"] if task.title else []),
        *([f"Played by: {plain(played_by(run))}"] if evaluation.imported else []),
        f"Run {run.pk} of evaluation {evaluation.pk}: {figures(run)}",
    ]
    return [
        f"# {plain(title)}",
        f"**{plain(outcome_sentence(run, grade))}**{score}",
        "\n".join(f"- {fact}" for fact in facts),
        *([fence(run.error)] if run.error else []),
        *verdict_blocks(grade),
        *answer_blocks(run),
        "## Turns",
    ]


def played_by(run: Run) -> str:
    return f"{run.evaluation.harness} {run.evaluation.harness_version}".strip()


def figures(run: Run) -> str:
    tokens = f"{units.count(run.tokens_total)} tokens" if run.tokens_known else "tokens unknown"
    cost = "cost unknown" if run.cost_usd is None else units.dollars(run.cost_usd)
    turns = f"{run.turns_total} turn{'' if run.turns_total == 1 else 's'}"
    return f"{turns}, {tokens}, {cost}, {units.duration(run.duration_s)}"


def verdict_blocks(grade: Grade | None) -> list[str]:
    lines = [
        f"- {verdict.sign} {verdict.words}: {code_span(verdict.name)} ({plain(verdict.reason)})"
        for verdict in verdicts_of(grade)
    ]
    return ["## Verdicts", "\n".join(lines)] if lines else []


def answer_blocks(run: Run) -> list[str]:
    handed_in = run.submission is not None
    raw = run.submission if handed_in else run.unsubmitted
    if raw is None:
        return []
    title = "## Answer" if handed_in else "## Answer file, never handed in"
    return [title, fence(bytes(raw).decode(errors="replace"), "json")]


def told_blocks(told: Sequence[Given], *, whole: bool) -> list[str]:
    return [
        block
        for each in told
        if each.text.strip()
        for block in (f"### Told by the {each.source}", fence(shown(each.text, whole=whole)))
    ]


def turn_blocks(stored: StoredTurn, *, whole: bool) -> list[str]:
    turn = stored.row
    blocks = [f"### Turn {turn.number}{', a summary' if turn.kind == TurnKind.SUMMARY else ''}"]
    if turn.reasoning.strip():
        blocks += ["Reasoning:", fence(shown(turn.reasoning, whole=whole))]
    if turn.message.strip():
        blocks.append(fence(shown(turn.message, whole=whole)))
    for call in stored.calls:
        streams = shell_streams(call.output or "")
        printed = shown(streams.stdout + streams.stderr, whole=whole)
        blocks += [*command_blocks(call, shown(call.command or call.arguments, whole=whole))]
        blocks += [fence(printed)] if printed.strip() else []
    return blocks


def command_blocks(call: ToolCall, text: str) -> list[str]:
    """Return the command, and how it ended where that was not well."""
    ending = ending_of(call)
    return [
        *([] if call.command else [f"Tool {code_span(call.tool)}:"]),
        fence(text, "sh" if call.command else "json"),
        *([f"{ending.capitalize()}, after {units.duration(call.duration_s)}:"] if ending else []),
    ]


def shown(text: str, *, whole: bool) -> str:
    return readable(text) if whole else shortened(readable(text))


def shortened(text: str) -> str:
    """Return a long text's beginning and end, and how much is left out between them."""
    lines = text.split("\n")
    if len(lines) <= WHOLE_LINES and len(text) <= WHOLE_CHARACTERS:
        return text
    start = "\n".join(lines[:HEAD_LINES])[:HEAD_CHARACTERS]
    end = "\n".join(lines[-TAIL_LINES:])[-TAIL_CHARACTERS:]
    return f"{start}\n[... {len(text) - len(start) - len(end):,} characters left out ...]\n{end}"


def fence(text: str, language: str = "text") -> str:
    """Return the text in a fence that none of its own backticks can close."""
    body = readable(text).strip("\n")
    ticks = "`" * max(3, longest_run(body) + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


def code_span(text: str) -> str:
    body = " ".join(readable(text).split())
    ticks = "`" * (longest_run(body) + 1)
    return f"{ticks} {body} {ticks}" if "`" in body else f"{ticks}{body or ' '}{ticks}"


def longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def plain(text: str) -> str:
    """Return text of one line in which nothing is Markdown."""
    return SPECIAL.sub(r"\\\1", " ".join(readable(text).split()))
