"""The demo: what it starts ends with it, what it made is kept, and its check compares with the database."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError

from evals.management import demonstration
from evals.management.children import ChildDied, Children
from evals.management.commands.demo import FIRST_PORT, chosen_port, progress_of
from evals.management.page_checks import Finding, mean_by_hand, page
from evals.management.visitor import Answer, as_text
from evals.models import Benchmark, Evaluation, LanguageModel
from tests.factories import make_benchmark, make_evaluation, make_run, make_task

PROJECT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def until(holds, within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


# A child with a child of its own; it writes both process ids and never ends by itself.
PARENT_OF_ONE = """
import os, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(sys.argv[1] + ".part", "w") as file:
    file.write(f"{os.getpid()} {grandchild.pid}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(600)
"""


def pids_in(file: Path) -> list[int]:
    assert until(file.exists)
    return [int(pid) for pid in file.read_text().split()]


def test_children_and_their_children_end_with_the_command(tmp_path):
    with Children(tmp_path / "logs") as children:
        children.start("family", [PYTHON, "-c", PARENT_OF_ONE, str(tmp_path / "pids")], dict(os.environ))
        pids = pids_in(tmp_path / "pids")
        assert all(map(alive, pids))
    assert until(lambda: not any(map(alive, pids)))


SUPERVISOR = """
import os, sys, time
from pathlib import Path
from evals.management.children import Children
with Children(Path(sys.argv[1])) as children:
    children.start("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], dict(os.environ))
    print(children._started["sleeper"].pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no signal of a parent's death but on Linux")
def test_children_end_even_when_the_command_is_killed(tmp_path):
    supervisor = subprocess.Popen(
        [PYTHON, "-c", SUPERVISOR, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    child = int(supervisor.stdout.readline())
    assert alive(child)
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    assert until(lambda: not alive(child))


def test_a_child_that_died_is_reported_with_the_end_of_its_log(tmp_path):
    with Children(tmp_path) as children:
        children.start("worker", [PYTHON, "-c", "import sys; sys.exit('no disk left')"], dict(os.environ))
        assert until(lambda: not alive(children._started["worker"].pid))
        with pytest.raises(ChildDied, match=r"The worker ended by itself with code 1[^$]*no disk left"):
            children.check()


def test_a_port_that_is_taken_is_refused_and_otherwise_passed_over():
    taken = chosen_port(None, anywhere=True)
    with (
        socket.create_server(("127.0.0.1", taken)),
        pytest.raises(CommandError, match=f"Port {taken} is taken"),
    ):
        chosen_port(taken, anywhere=False)
    first = chosen_port(None, anywhere=False)
    assert first >= FIRST_PORT
    with socket.create_server(("127.0.0.1", first)):
        assert chosen_port(None, anywhere=False) > first


@pytest.mark.django_db
def test_the_admin_gets_one_password_that_only_the_owner_of_the_data_can_read(settings, tmp_path):
    settings.ITBENCH_DATA_DIR = tmp_path
    first = demonstration.admin_account()
    assert demonstration.admin_account() == first
    user = get_user_model().objects.get()
    assert (user.is_superuser, user.check_password(first.password)) == (True, True)
    assert stat.S_IMODE((tmp_path / "admin-password").stat().st_mode) == 0o600


@pytest.mark.django_db
def test_a_password_that_was_changed_is_not_told_wrongly(settings, tmp_path):
    settings.ITBENCH_DATA_DIR = tmp_path
    demonstration.admin_account()
    user = get_user_model().objects.get()
    user.set_password("my own choice")
    user.save()
    assert demonstration.admin_account().password is None


@pytest.mark.django_db
def test_a_second_demo_takes_up_the_evaluations_of_the_first(tmp_path):
    make_task(make_benchmark(slug="samples"), snapshot_path=str(tmp_path))
    for _ in range(2):
        demonstration.register_baselines()
        demonstration.queue_evaluations(repeats=2)
    assert LanguageModel.objects.count() == Evaluation.objects.count() == 3
    assert {evaluation.runs.count() for evaluation in Evaluation.objects.all()} == {2}


@pytest.mark.django_db
def test_incidents_that_are_there_are_imported_once(settings, tmp_path):
    settings.ITBENCH_DATA_DIR = tmp_path
    demonstration.make_incidents(tmp_path / "sample-incidents")
    assert not (tmp_path / "sample-incidents.unfinished").exists()
    for _ in range(2):
        demonstration.import_incidents(tmp_path / "sample-incidents")
    benchmark = Benchmark.objects.get()
    assert (benchmark.slug, benchmark.synthetic, benchmark.tasks.count()) == ("samples", True, 12)


@pytest.mark.django_db
def test_progress_counts_what_errored_apart():
    evaluation = make_evaluation()
    for score in (1, 0.5, None):
        make_run(evaluation, score=score)
    make_run(evaluation, score=None, state="queued", error="")
    assert progress_of(evaluation).endswith("3 of 4 (1 errored)")


@pytest.mark.django_db
def test_the_mean_by_hand_weighs_every_task_the_same():
    evaluation = make_evaluation()
    one, other = make_task(evaluation.benchmark), make_task(evaluation.benchmark)
    for task, score in ((one, 1), (one, 0), (other, 1)):
        make_run(evaluation, task, score=score)
    assert mean_by_hand(evaluation) == 0.75


def answer(body: str, status: int = 200) -> Answer:
    return Answer(status, "http://site/", {}, body)


def test_a_page_is_checked_for_what_a_reader_sees():
    body = "<script>var hidden = 'Loudest'</script><p>The mean is <b>25\N{NO-BREAK SPACE}%</b></p>"
    assert as_text(body) == "The mean is 25 %"
    assert page(answer(body), "/", "25 %").holds
    assert page(answer(body), "/", "Loudest") == Finding("/", holds=False, detail="does not say 'Loudest'")
    assert page(answer(body, status=500), "/").detail == "status 500, expected 200"


def test_the_row_of_a_model_is_the_one_that_links_to_it():
    body = '<tr><td><a href="/models/a/">A</a><td>1 %</tr><tr><td><a href="/models/b/">B</a><td>2 %</tr>'
    assert answer(body).row_about("/models/b/") == "B 2 %"
    assert answer(body).row_about("/models/c/") == ""


def test_the_demo_refuses_a_port_that_is_taken_with_code_2(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        finished = subprocess.run(
            [PYTHON, "manage.py", "demo", "--data", str(tmp_path / "data"), "--port", port],
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
    assert finished.returncode == 2
    assert finished.stderr == f"CommandError: Port {port} is taken: choose another with --port\n"
