"""What every sandbox promises, whatever it is made of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from evals.sandbox import Sandbox, SandboxError, SandboxSpec
from evals.sandbox.catalogue import open_sandbox
from tests.evals.sandbox.conftest import EVERY_KIND, containers_of, processes_with, wait_until

PROJECT = Path(__file__).parents[3]

# Opens a sandbox, leaves something running in it and waits for its death, idle or in mid-command.
ABANDON = """
import sys, time
from evals.sandbox import SandboxSpec
from evals.sandbox.catalogue import open_sandbox
kind, marker, state = sys.argv[1:]
with open_sandbox(kind, SandboxSpec(snapshot=None, run_id=f"test-{marker}")) as sandbox:
    sandbox.run(f"(setsid sleep {marker} &) > /dev/null 2>&1")
    print("open", flush=True)
    if state == "busy":
        sandbox.run(f"sleep {marker}")
    time.sleep(600)
"""


@pytest.mark.parametrize("kind", EVERY_KIND)
class TestContract:
    @pytest.mark.parametrize(("command", "code"), [("true", 0), ("exit 3", 3), ("no-such-tool", 127)])
    def test_a_command_gives_its_exit_code(self, sandbox: Sandbox, command: str, code: int):
        result = sandbox.run(command)
        assert (result.exit_code, result.timed_out) == (code, False)

    def test_both_streams_are_kept_apart(self, sandbox: Sandbox):
        result = sandbox.run("echo out; echo err >&2")
        assert (result.stdout, result.stderr) == (b"out\n", b"err\n")

    def test_bytes_that_are_no_text_come_through_unchanged(self, sandbox: Sandbox):
        assert sandbox.run(r"printf '\x00\xff\xfe\n'").stdout == b"\x00\xff\xfe\n"

    def test_text_of_any_language_comes_through_unchanged(self, sandbox: Sandbox):
        result = sandbox.run("echo 'żółć 🚀' | tee 'ćma 🚀'; cat 'ćma 🚀'")
        assert result.stdout.decode() == "żółć 🚀\nżółć 🚀\n"

    def test_what_no_argument_can_hold_does_not_stop_a_command(self, sandbox: Sandbox):
        assert sandbox.run("echo a\0b; echo '\ud800' > /dev/null").stdout == b"ab\n"

    def test_a_command_that_reads_finds_the_end_of_its_input(self, sandbox: Sandbox):
        result = sandbox.run("cat; echo $?", timeout_s=10)
        assert (result.stdout, result.timed_out) == (b"0\n", False)

    def test_a_command_of_200_kilobytes_is_run_as_it_stands(self, sandbox: Sandbox):
        text = "0123456789\n" * 20_000
        result = sandbox.run(f"cat > big <<'END'\n{text}END\nwc -c < big; exit 4")
        assert (result.stdout.strip(), result.exit_code) == (str(len(text)).encode(), 4)

    def test_the_agent_sees_the_snapshot_in_its_home(self, sandbox: Sandbox):
        assert sandbox.run("ls").stdout.split() == [b"alerts", b"k8s_events_raw.tsv"]
        assert sandbox.read("alerts/first.json", 1000) == b'{"alert": "RequestErrorRate"}'

    def test_the_environment_holds_what_the_spec_says_and_nothing_of_the_host(
        self, monkeypatch: pytest.MonkeyPatch, open_with: Callable[..., Sandbox]
    ):
        monkeypatch.setenv("ITBENCH_SECRET", "hunter2")
        sandbox = open_with(environment={"TERM": "dumb"})
        names = {line.partition(b"=")[0].decode() for line in sandbox.run("env").stdout.splitlines()}
        set_by_bash = {"PWD", "SHLVL", "_"}
        assert names - set_by_bash == {"HOME", "PATH", "LANG", "USER", "TERM"}

    def test_python_there_has_pandas(self, sandbox: Sandbox):
        program = "import pandas; print(pandas.DataFrame({'a': [1, 2]}).a.sum())"
        assert sandbox.run(f'python3 -c "{program}"').stdout == b"3\n"

    # Time.

    def test_the_time_limit_ends_a_command_and_keeps_what_it_printed(self, sandbox: Sandbox):
        result = sandbox.run("echo before; sleep 60", timeout_s=0.5)
        assert (result.stdout, result.exit_code, result.timed_out) == (b"before\n", None, True)
        assert 0.5 <= result.duration_s < 5

    def test_the_time_limit_kills_the_whole_tree(self, sandbox: Sandbox, marker: str):
        """Children, those in a session of their own, and those whose parents are gone."""
        sleep = f"sleep {marker}"
        command = f"{sleep} & setsid {sleep} & (setsid sh -c '{sleep} & {sleep} &' &) ; trap '' TERM; {sleep}"
        assert sandbox.run(command, timeout_s=1).timed_out
        assert processes_with(marker) == []
        assert sandbox.run("echo alive").stdout == b"alive\n"

    def test_a_background_process_lives_on_and_holds_nobody_up(self, sandbox: Sandbox, marker: str):
        result = sandbox.run(f"sleep {marker} & echo started")
        assert result.stdout == b"started\n"
        assert result.duration_s < 5
        assert sandbox.run("true").exit_code == 0
        assert processes_with(f"sleep\0{marker}")

    def test_output_of_a_helper_that_no_shell_waits_for_is_not_lost(self, sandbox: Sandbox):
        assert sandbox.run("echo hi > >(cat)").stdout == b"hi\n"

    # Output.

    def test_the_output_limit_keeps_the_start_and_the_end_and_counts_all(self, sandbox: Sandbox):
        result = sandbox.run("seq 100000 | tee /dev/stderr", limit_bytes=100)
        full = "".join(f"{n}\n" for n in range(1, 100_001)).encode()
        assert result.stdout == result.stderr == full[:50] + full[-50:]
        assert result.stdout_bytes == result.stderr_bytes == len(full)

    @pytest.mark.parametrize("size", [0, 1, 99, 100])
    def test_output_within_the_limit_is_whole(self, sandbox: Sandbox, size: int):
        text = b"abcdefghij" * 10
        result = sandbox.run(f"printf %s '{text[:size].decode()}'", limit_bytes=100)
        assert (result.stdout, result.stdout_bytes) == (text[:size], size)

    def test_endless_output_takes_no_memory(self, sandbox: Sandbox):
        result = sandbox.run("yes", timeout_s=2, limit_bytes=1_000_000)
        assert result.timed_out
        assert len(result.stdout) == 1_000_000
        assert result.stdout_bytes > 20_000_000
        peak_kib = int(sandbox.run("grep VmHWM /proc/$PPID/status").stdout.split()[1])
        assert peak_kib < 32 * 1024

    def test_a_writer_whose_reader_is_gone_ends_quietly(self, sandbox: Sandbox):
        result = sandbox.run('yes | head -n 1; echo "${PIPESTATUS[0]}"')
        assert (result.stdout, result.stderr) == (b"y\n141\n", b"")

    # Files.

    def test_files_last_between_commands_and_not_between_runs(self, kind: str, spec: SandboxSpec):
        with open_sandbox(kind, spec) as first:
            first.run("echo mine > note; cd alerts")
            assert first.run("cat note").stdout == b"mine\n"
        with open_sandbox(kind, replace(spec, run_id=f"{spec.run_id}-again")) as second:
            assert not second.exists("note")

    def test_a_path_starts_at_home_wherever_home_is(self, sandbox: Sandbox):
        sandbox.run("mkdir folder; echo mine > folder/note")
        for path in ("folder/note", "./folder/note", f"{sandbox.home}/folder/note", "/home/user/folder/note"):
            assert sandbox.exists(path)
            assert sandbox.read(path, 100) == b"mine\n"
        assert sandbox.exists("/home/user")
        assert sandbox.exists("/usr/bin")

    def test_reading_stops_at_the_limit(self, sandbox: Sandbox):
        sandbox.run("seq 1000 > numbers")
        assert sandbox.read("numbers", 4) == b"1\n2\n"

    @pytest.mark.parametrize("path", ["missing", "alerts", "pipe", "locked", "/proc/self/mem", "a\0b"])
    def test_what_is_no_readable_file_is_none(self, sandbox: Sandbox, path: str):
        sandbox.run("mkfifo pipe; ln -s locked locked")
        assert sandbox.read(path, 100) is None

    # Ends.

    def test_a_command_may_kill_its_own_shell(self, sandbox: Sandbox):
        assert sandbox.run("kill -9 $$").exit_code == 137
        assert sandbox.run("echo alive").stdout == b"alive\n"

    def test_sandboxes_side_by_side_do_not_meet(self, kind: str, spec: SandboxSpec):

        def note(number: int) -> bytes:
            with open_sandbox(kind, replace(spec, run_id=f"{spec.run_id}-{number}")) as sandbox:
                sandbox.run(f"echo {number} >> note; sleep 0.2")
                return sandbox.run("cat note").stdout

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(note, range(4))) == [b"0\n", b"1\n", b"2\n", b"3\n"]

    def test_a_closed_sandbox_says_so(self, kind: str, spec: SandboxSpec):
        with open_sandbox(kind, spec) as sandbox:
            pass
        with pytest.raises(SandboxError, match="is not open"):
            sandbox.run("true")

    @pytest.mark.parametrize("ending", [None, ZeroDivisionError])
    def test_nothing_is_left_behind(
        self,
        kind: str,
        spec: SandboxSpec,
        marker: str,
        temporary_folder: Path,
        ending: type[Exception] | None,
    ):
        mounts = Path("/proc/self/mountinfo").read_text()
        if ending is None:
            leave_something_running(kind, spec, marker)
        else:
            with pytest.raises(ending):
                leave_something_running(kind, spec, marker, ending)
        assert processes_with(marker) == []
        assert list(temporary_folder.iterdir()) == []
        assert Path("/proc/self/mountinfo").read_text() == mounts
        assert kind != "docker" or containers_of(spec.run_id) == []

    def test_a_start_that_fails_halfway_leaves_nothing_behind(
        self, kind: str, spec: SandboxSpec, marker: str, temporary_folder: Path
    ):
        unspeakable = replace(spec, environment={marker: object()})  # type: ignore[dict-item]
        with pytest.raises(TypeError, match="not JSON"), open_sandbox(kind, unspeakable):
            pass
        assert list(temporary_folder.iterdir()) == []
        assert kind != "docker" or containers_of(spec.run_id) == []

    def test_a_server_that_hangs_is_removed_all_the_same(
        self, kind: str, spec: SandboxSpec, marker: str, temporary_folder: Path
    ):
        with open_sandbox(kind, spec) as sandbox:
            sandbox.run(f"sleep {marker} &")
            (sleeping,) = processes_with(f"sleep\0{marker}")
            server = int(Path(f"/proc/{sleeping}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(server, signal.SIGSTOP)
        assert wait_until(lambda: not Path(f"/proc/{server}").exists())
        assert list(temporary_folder.iterdir()) == []
        assert kind != "docker" or wait_until(lambda: containers_of(spec.run_id) == [])
        # Without a pid namespace nothing ties a process to the server that started it.
        assert kind == "process" or processes_with(marker) == []
        for pid in processes_with(f"sleep\0{marker}"):
            os.kill(pid, signal.SIGKILL)

    @pytest.mark.parametrize("state", ["idle", "busy"])
    def test_nothing_is_left_when_the_worker_is_killed(
        self, kind: str, marker: str, temporary_folder: Path, state: str
    ):
        command = [sys.executable, "-c", ABANDON, kind, marker, state]
        sleeping = 2 if state == "busy" else 1
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT) as worker:
            try:
                assert worker.stdout is not None
                assert worker.stdout.readline() == b"open\n"
                assert wait_until(lambda: len(processes_with(f"sleep\0{marker}")) == sleeping)
            finally:
                worker.kill()
        assert wait_until(lambda: processes_with(marker) == [])
        assert wait_until(lambda: list(temporary_folder.iterdir()) == [])
        assert kind != "docker" or wait_until(lambda: containers_of(f"test-{marker}") == [])


def leave_something_running(
    kind: str, spec: SandboxSpec, marker: str, ending: type[Exception] | None = None
) -> None:
    with open_sandbox(kind, spec) as sandbox:
        sandbox.run(f"echo mine > note; (setsid sleep {marker} &); sleep {marker} & true")
        assert len(processes_with(f"sleep\0{marker}")) == 2
        if ending is not None:
            raise ending
