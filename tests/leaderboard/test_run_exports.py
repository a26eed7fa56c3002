"""A run as a file: who may have it, what the browser is told of it, and that it is made while it is sent."""

import base64
import hashlib
import json
import re
import tracemalloc
from html.parser import HTMLParser

import pytest
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string
from markdown_it import MarkdownIt

from evals.models import Run, RunState, Split, ToolCall, Turn
from leaderboard.run_files import RUN_FILES
from tests.evals.exchange.atif_schema import problems
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db

FILES = {
    "trajectory.json": ("application/json", ".trajectory.json"),
    "run.json": ("application/json", ".json"),
    "run.md": ("text/markdown; charset=utf-8", ".md"),
    "run.html": ("text/html; charset=utf-8", ".html"),
    "replay.cast": ("application/x-asciicast", ".cast"),
}
HOSTILE = (
    "<script>alert(1)</script></pre></style><img src=x onerror=alert(2)>\x1b[31mred\x1b[0m ``` ```` "
    "![x](http://evil.example/x.png) [y](javascript:alert(3)) @everyone <!-- turns --> -->\n# h\n|a|b|\n"
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\x08\x9b\u202egnp.exe & &amp;\n```\n<b>out</b>"
)


def address(run, file):
    return f"/runs/{run.pk}/{file}"


def body(response):
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def hostile_run():
    evaluation = make_evaluation(language_model=make_model(name=HOSTILE[:120]))
    task = make_task(evaluation.benchmark, title=HOSTILE[:200])
    run = make_run(
        evaluation, task, submission=HOSTILE.encode(), finish_reason=HOSTILE, note=HOSTILE, error=HOSTILE
    )
    make_turn(run, 1, output=HOSTILE, message=HOSTILE, reasoning=HOSTILE)
    ToolCall.objects.update(command=HOSTILE, tool=HOSTILE[:80])
    turn = make_turn(run, 2, output=HOSTILE * 40)
    turn.tool_calls.update(command="", arguments=HOSTILE, tool=HOSTILE)
    run.grades.update(
        verdicts=[{"name": HOSTILE, "verdict": "false_positive", "reason": HOSTILE}],
        missed=[{"description": HOSTILE}],
        notes=[HOSTILE],
    )
    return run


@pytest.mark.parametrize("file", FILES)
def test_every_form_says_what_it_is_and_how_to_call_it(client, file):
    run = make_run()
    make_turn(run, 1)
    response = client.get(address(run, file))
    assert response.streaming
    content_type, suffix = FILES[file]
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Disposition"] == f'inline; filename="run-{run.pk}{suffix}"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Looking." in body(response)


@pytest.mark.parametrize("file", FILES)
def test_a_run_of_a_held_out_task_is_there_for_staff_only(client, visitor_client, staff_client, file):
    run = make_run(task=make_task(split=Split.HELD_OUT))
    for reader in (client, visitor_client):
        assert reader.get(address(run, file)).status_code == 404
        assert reader.head(address(run, file)).status_code == 404
    assert staff_client.get(address(run, file)).status_code == 200
    assert client.get(address(run, file).replace(str(run.pk), "999999")).status_code == 404


@pytest.mark.parametrize("file", FILES)
def test_who_has_a_run_at_rest_is_not_sent_it_again(client, file, django_assert_num_queries):
    run = make_run()
    make_turn(run, 1)
    tag = client.get(address(run, file)).headers["ETag"]
    with django_assert_num_queries(2):  # the run and its grade, and no turn
        again = client.get(address(run, file), headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    run.grades.update(score=0.5, outcome="over_reported")
    assert client.get(address(run, file), headers={"If-None-Match": tag}).status_code == 200


def test_forms_have_tags_of_their_own(client):
    run = make_run()
    addresses = [*(address(run, file) for file in FILES), address(run, "run.md?full=1")]
    assert len({client.get(each).headers["ETag"] for each in addresses}) == 6


@pytest.mark.parametrize("file", FILES)
def test_a_run_that_still_runs_has_no_tag(client, file):
    run = make_run()
    Run.objects.update(state=RunState.RUNNING, claimed_by="w", heartbeat=run.ended_at, ended_at=None)
    response = client.get(address(run, file))
    assert "ETag" not in response.headers
    assert "no-cache" in response.headers["Cache-Control"]


@pytest.mark.parametrize("file", FILES)
def test_a_question_for_the_headers_reads_no_turn(client, file, django_assert_num_queries):
    run = make_run()
    make_turn(run, 1)
    whole = client.get(address(run, file))
    with django_assert_num_queries(2):
        response = client.head(address(run, file))
        assert body(response) == ""
    assert response.headers == whole.headers
    assert client.post(address(run, file)).status_code == 405


def test_an_errored_and_an_imported_run_go_out_too(client):
    errored = make_run(score=None)
    assert "Errored" in body(client.get(address(errored, "run.md")))
    assert "SandboxError: gone" in body(client.get(address(errored, "run.html")))
    imported = make_run(make_evaluation(harness="stirrup", harness_version="0.2", prompt_text=""))
    make_turn(imported, 1, given=[{"source": "user", "text": "Off you go."}])
    assert "Played by: stirrup 0.2" in body(client.get(address(imported, "run.md")))
    assert "### Told by the user\n\n```text\nOff you go.\n```\n\n### Turn 1" in body(
        client.get(address(imported, "run.md"))
    )
    assert "Off you go." in body(client.get(address(imported, "run.html")))


# --- Markdown ---


def test_markdown_tells_the_outcome_the_verdicts_and_every_turn(client):
    run = make_run(score=0, cost_usd=None, tokens_known=False)
    run.grades.update(
        verdicts=[{"name": "a/Pod/b", "verdict": "false_positive", "reason": "downstream: ad_1"}],
        missed=[{"description": "x/ConfigMap/y"}],
    )
    make_turn(run, 1, kind="summary", reasoning="Hm.")
    ToolCall.objects.update(exit_code=2)
    text = body(client.get(address(run, "run.md")))
    assert "**Missed: it did not find the root cause.** Score 0." in text
    assert "- ✗ false positive: `a/Pod/b` (downstream: ad\\_1)" in text
    assert "- ○ missed: `x/ConfigMap/y`" in text
    assert "10 turns, tokens unknown, cost unknown, 30" in text
    assert "### Turn 1, a summary\n\nReasoning:\n\n```text\nHm.\n```\n\n```text\nLooking.\n```" in text
    assert "```sh\nls\n```\n\nExit code 2, after 0.1\xa0s:\n\n```text\nalerts\n```" in text


def tokens_of(text):
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        yield token
        yield from token.children or ()


def test_text_from_outside_stays_in_its_fence(client):
    run = hostile_run()
    tokens = list(tokens_of(body(client.get(address(run, "run.md?full=1")))))
    kinds = {token.type for token in tokens}
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "table_open", "blockquote_open"}
    shown = "".join(c for c in HOSTILE if c.isprintable() or c == "\n")
    fenced = [token.content for token in tokens if token.type == "fence"]
    assert sum("<script>alert(1)" in text and text.endswith("<b>out</b>\n") for text in fenced) >= 7
    assert not any(c in text for text in fenced for c in "\x1b\x07\x08\x9b\u202e")
    assert "<!-- turns -->" in shown
    headings = [tokens[place + 1].content for place, t in enumerate(tokens) if t.type == "heading_open"]
    assert headings[1:] == ["Verdicts", "Answer", "Turns", "Turn 1", "Turn 2"]


@pytest.mark.parametrize("output", ["".join(f"row-{n}\n" for n in range(200)), "<" + "x" * 50_000 + ">"])
def test_markdown_cuts_long_texts_and_says_so_unless_all_is_asked_for(client, output):
    run = make_run()
    make_turn(run, 1, output=output)
    short, whole = (body(client.get(address(run, f"run.md{query}"))) for query in ("", "?full=1"))
    assert len(short) < 4000
    assert re.search(r"\n\[\.\.\. [\d,]+ characters left out \.\.\.\]\n", short)
    assert output.strip()[-20:] in short
    assert output.strip() in whole
    assert "left out" not in whole


def test_an_odd_wish_is_refused_in_a_sentence(client):
    response = client.get(address(make_run(), "run.md?full=yes"))
    assert (response.status_code, response.content) == (400, b"full: use 1, or leave it out.\n")


# --- HTML ---


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.style = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        if self.found and self.lasttag == "style" and not self.style:
            self.style = data


def test_the_page_asks_for_nothing_and_nothing_in_it_can_act(client):
    run = hostile_run()
    html = body(client.get(address(run, "run.html")))
    elements = Elements(html)
    assert {tag for tag, _ in elements.found} <= {
        "html", "head", "meta", "title", "style", "body", "main", "header", "nav", "h1", "p", "span", "a",
        "b", "i", "ul", "ol", "li", "div", "code", "pre", "details", "summary", "svg", "path", "rect",
    }  # fmt: skip
    attributes = {name for _, given in elements.found for name in given}
    assert not {"src", "srcset", "style", "xlink:href", "action"} & attributes
    assert not [name for name in attributes if name.startswith("on")]
    links = {given["href"] for _, given in elements.found if "href" in given}
    assert links == {f"http://testserver/runs/{run.pk}/", "#turn-1", "#turn-2"}
    assert "url(" not in elements.style
    assert "@import" not in elements.style
    assert html.count("<script") == 0
    assert not set("\x1b\x07\x08\x9b\u202e") & set(html)
    assert html.index('id="turn-2"') > html.index('id="turn-1"')


def test_the_only_style_allowed_is_the_pages_own(client):
    response = client.get(address(make_run(), "run.html"))
    html = body(response)
    digest = base64.b64encode(hashlib.sha256(Elements(html).style.encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'")
    assert "script-src" not in policy
    in_file = next(given["content"] for tag, given in Elements(html).found if "http-equiv" in given)
    assert policy == f"{in_file}; frame-ancestors 'none'"
    again = client.get(address(Run.objects.get(), "run.html"), headers={"If-None-Match": response["ETag"]})
    assert again.headers["Content-Security-Policy"] == policy


def test_the_page_has_the_colours_of_the_site(client):
    style = Elements(body(client.get(address(make_run(), "run.html")))).style
    assert style.count(":root {") >= 1
    used, known = set(re.findall(r"var\((--[\w-]+)", style)), set(re.findall(r"^\s+(--[\w-]+):", style, re.M))
    assert used <= known


def test_a_text_of_many_megabytes_does_not_freeze_a_browser(client):
    run = make_run()
    make_turn(run, 1, output="x" * 5_000_000)
    html = body(client.get(address(run, "run.html")))
    assert len(html) < 300_000
    assert "4.8\xa0M characters more are in the run's JSON document" in html


def test_a_run_without_turns_says_so(client):
    run = make_run()
    assert "No turn was recorded." in body(client.get(address(run, "run.html")))
    assert "No turn was recorded." in body(client.get(address(run, "run.md")))


# --- The menu and the API ---


def test_the_menu_leads_to_every_form(client):
    run = make_run()
    html = render_to_string("leaderboard/_downloads.html", {"run": run})
    links = {given["href"] for tag, given in Elements(html).found if tag == "a"}
    assert links == {address(run, file) for file in FILES}
    assert all(client.get(link).status_code == 200 for link in links)


def test_the_api_leads_to_the_files_of_a_run(client):
    run = make_run()
    several = client.get("/api/v1/runs/").json()["results"]
    for record in (*several, client.get(f"/api/v1/runs/{run.pk}/").json()):
        assert record["atif_url"] == f"http://testserver/runs/{run.pk}/trajectory.json"
        assert record["json_url"] == f"http://testserver/runs/{run.pk}/run.json"


# --- Memory and queries ---


def long_run(turns):
    run = make_run()
    rows = Turn.objects.bulk_create(Turn(run=run, number=n, message="Looking.") for n in range(1, turns + 1))
    output = "kube-system/coredns running, ready 1/1, restarts 0\n" * 400
    call = {"number": 1, "call_id": "a", "tool": "run_shell", "command": "ls", "output": output}
    ToolCall.objects.bulk_create((ToolCall(turn=row, **call) for row in rows), batch_size=50)
    return run


def peak_bytes(run, kind):
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in RUN_FILES[kind].pieces(run))
        return tracemalloc.get_traced_memory()[1], size
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_turns():
    short, long = long_run(100), long_run(1000)
    for kind in RUN_FILES:
        peak_bytes(short, kind)  # what is made once, such as a template
        (small, some), (large, more) = peak_bytes(short, kind), peak_bytes(long, kind)
        assert more > 8 * some, kind
        assert large < small + 1_500_000, kind  # the strip of an HTML page has a mark a turn


@pytest.mark.parametrize("kind", RUN_FILES)
def test_queries_grow_by_the_batch_only(kind, django_assert_max_num_queries):
    run = long_run(100)
    with django_assert_max_num_queries(2 * 11 + 3):
        list(RUN_FILES[kind].pieces(run))


# --- The command ---


@pytest.fixture
def runs():
    evaluation = make_evaluation(benchmark=make_benchmark(slug="b"))
    return [make_run(evaluation) for _ in range(3)]


def export(*arguments):
    call_command("export_runs", *map(str, arguments), verbosity=0)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_runs_are_written_one_a_file(tmp_path, runs, capsys):
    make_turn(runs[0], 1)
    for kind in ("atif", "json", "markdown", "html", "cast"):
        export("--format", kind, "--out", tmp_path / "new" / "folder", runs[0].pk, runs[1].pk)
    suffixes = (".cast", ".html", ".json", ".md", ".trajectory.json")
    wanted = [f"run-{run.pk}{suffix}" for run in runs[:2] for suffix in suffixes]
    assert names(tmp_path / "new" / "folder") == sorted(wanted)
    written = (tmp_path / "new" / "folder" / f"run-{runs[0].pk}.trajectory.json").read_text(encoding="utf-8")
    assert problems(json.loads(written)) == []
    assert "2 runs written to" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--benchmark", "b"], ["--evaluation"]])
def test_all_runs_of_an_evaluation_or_a_benchmark_are_written(tmp_path, runs, options):
    make_run()
    chosen = [*options, runs[0].evaluation_id] if options == ["--evaluation"] else options
    export("--out", tmp_path, *chosen)
    assert names(tmp_path) == sorted(f"run-{run.pk}.trajectory.json" for run in runs)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say which runs"),
        (["1", "--benchmark", "b"], "Say which runs"),
        (["--benchmark", "none"], "There is no benchmark 'none'"),
        (["--evaluation", "999999"], "There is no evaluation 999999"),
        (["999998", "999999"], "There is no run 999998, 999999"),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(tmp_path, runs, arguments, sentence):
    with pytest.raises(CommandError, match=sentence) as refused:
        export("--out", tmp_path / "out", *arguments)
    assert refused.value.returncode == 2
    assert not (tmp_path / "out").exists()


def test_a_folder_that_can_not_be_written_is_refused_in_a_sentence(tmp_path, runs):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="file"):
        export("--out", tmp_path / "file", runs[0].pk)
