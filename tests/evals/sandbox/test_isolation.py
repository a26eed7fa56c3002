"""What the isolated sandboxes promise, against an agent that tries."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from evals.sandbox import Sandbox
from tests.evals.sandbox.conftest import ISOLATED_KINDS, processes_with, wait_until

PROJECT = Path(__file__).parents[3]
MEBIBYTE = 1024**2


@contextmanager
def highest(value: Callable[[], int]) -> Iterator[list[int]]:
    """Give a list whose one number ends up as the highest the value had at any moment."""
    seen, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            seen[0] = max(seen[0], value())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def private_memory_bytes(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        with suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            total += sum(int(kib) * 1024 for kib in re.findall(r"RssAnon:\s+(\d+) kB", status))
    return total


@pytest.mark.parametrize("kind", ISOLATED_KINDS)
class TestIsolation:
    def test_it_says_so(self, sandbox: Sandbox):
        assert sandbox.isolated

    # What can be seen.

    @pytest.mark.parametrize(
        "command",
        [
            "echo x >> alerts/first.json",
            "echo x > alerts/more.json",
            "rm k8s_events_raw.tsv",
            "rm -r alerts",
            "mv alerts elsewhere",
            "chmod 777 alerts",
            "mount -o remount,rw ~/alerts",
            "umount ~/alerts",
        ],
    )
    def test_inputs_can_not_be_changed(self, sandbox: Sandbox, snapshot: Path, command: str):
        assert sandbox.run(command).exit_code not in (0, 127)
        assert (snapshot / "alerts" / "first.json").read_text() == '{"alert": "RequestErrorRate"}'
        assert sorted(path.name for path in (snapshot / "alerts").iterdir()) == ["first.json"]
        assert (snapshot / "k8s_events_raw.tsv").exists()

    def test_the_ground_truth_is_nowhere(self, sandbox: Sandbox, snapshot: Path, marker: str):
        (snapshot / f"ground_truth-{marker}.yaml").write_text("groups: []")
        search = f"find / -name '*{marker}*' -not -path '/proc/*' 2> /dev/null"
        assert sandbox.run(search).stdout == b""
        for place in (snapshot, snapshot.parent, PROJECT / "evals", PROJECT / "manage.py"):
            assert not sandbox.exists(str(place))
            assert sandbox.run(f"ls /proc/*/root{place} /proc/*/cwd{place}").stdout == b""

    def test_the_search_above_finds_what_can_be_seen(self, sandbox: Sandbox, marker: str):
        sandbox.run(f"echo > 'seen-{marker}'")
        assert f"seen-{marker}".encode() in sandbox.run(f"find / -name '*{marker}*'").stdout

    def test_processes_of_this_machine_can_not_be_seen(self, sandbox: Sandbox):
        pids = sandbox.run("ls /proc | grep -c '^[0-9]'").stdout
        assert int(pids) <= 5  # the server, bash, ls, grep

    def test_there_is_no_network(self, sandbox: Sandbox):
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            port = listener.getsockname()[1]
            with closing(socket.create_connection(("127.0.0.1", port))):
                pass  # whoever shares this machine's network gets in
            assert sandbox.run(f"echo > /dev/tcp/127.0.0.1/{port}").exit_code != 0
        interfaces = sandbox.run("tail -n +3 /proc/net/dev | cut -d: -f1").stdout.split()
        assert interfaces == [b"lo"]
        assert sandbox.run("echo > /dev/udp/192.0.2.1/53").exit_code != 0

    # What can be done.

    def test_the_agent_is_an_ordinary_user_inside_and_outside(self, sandbox: Sandbox, marker: str):
        assert sandbox.run("id -u; id -g; id -un").stdout.split() == [b"1000", b"1000", b"user"]
        sandbox.run(f"sleep {marker} &")
        (pid,) = processes_with(f"sleep\0{marker}")
        uids = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "Uid" in line)
        assert "0" not in uids.split()[1:]

    def test_there_are_no_capabilities_and_no_way_to_get_any(self, sandbox: Sandbox):
        status = sandbox.run("grep -E '^(Cap|NoNewPrivs)' /proc/self/status").stdout.decode()
        values = dict(line.split(":\t") for line in status.splitlines())
        assert values.pop("NoNewPrivs") == "1"
        assert len(values) == 5
        assert {int(capabilities, 16) for capabilities in values.values()} == {0}
        assert sandbox.run("unshare --user --map-root-user true").exit_code not in (0, 127)

    @pytest.mark.parametrize("folder", ["/", "/usr", "/etc", "/usr/bin", "/dev", "/home", "/proc/sys/kernel"])
    def test_nothing_but_the_home_and_tmp_can_be_written(self, sandbox: Sandbox, folder: str):
        assert sandbox.run(f"echo x > {folder}/x").exit_code == 1
        assert sandbox.run("echo x > ~/x && echo x > /tmp/x && chmod +x ~/x /tmp/x").exit_code == 0

    def test_the_server_is_out_of_the_agents_reach(self, sandbox: Sandbox):
        for signal in ("KILL", "STOP", "INT", "TERM", "HUP", "CHLD", "SEGV"):
            sandbox.run(f"kill -{signal} $PPID; kill -{signal} 1")
        sandbox.run("kill -9 -1")
        assert sandbox.run("echo junk > /proc/1/fd/1").exit_code == 1
        assert sandbox.run("head -c 1 /proc/1/mem /proc/1/environ").stdout == b""
        assert sandbox.run("echo alive").stdout == b"alive\n"

    def test_kill_minus_one_spares_only_the_shell_and_the_server(self, sandbox: Sandbox, marker: str):
        sandbox.run(f"sleep {marker} & setsid sleep {marker} &")
        assert sandbox.run("kill -9 -1; echo survived").stdout == b"survived\n"
        assert wait_until(lambda: processes_with(marker) == [])

    # How much.

    @pytest.mark.parametrize("folder", ["~", "/tmp", "/dev/shm"])
    def test_files_can_not_outgrow_their_place(self, open_with: Callable[..., Sandbox], folder: str):
        sandbox = open_with(home_bytes=16 * MEBIBYTE)
        result = sandbox.run(f"head -c 100M /dev/zero > {folder}/big; stat -c %s {folder}/big")
        assert b"No space left" in result.stderr
        assert int(result.stdout) <= 64 * MEBIBYTE  # /dev/shm; the home and /tmp have 16

    def test_the_home_has_the_size_that_was_asked_for(self, open_with: Callable[..., Sandbox]):
        sandbox = open_with(home_bytes=16 * MEBIBYTE)
        sizes = sandbox.run("df --output=size -B1 ~ /tmp | tail -n +2").stdout.split()
        assert sizes == [b"16777216", b"16777216"]

    def test_a_fork_bomb_is_contained_and_the_sandbox_answers_afterwards(
        self, open_with: Callable[..., Sandbox], marker: str
    ):
        sandbox = open_with(processes=64)
        with highest(lambda: len(processes_with(marker))) as most:
            sandbox.run(f"bomb() {{ bomb | bomb & }}; bomb # {marker}", timeout_s=10)
            assert wait_until(lambda: most[0] > 32)
            # Each answer comes at once; the first may tell that there was no room for `ls`.
            assert wait_until(lambda: sandbox.run("ls | wc -l", timeout_s=10).stdout == b"2\n")
        assert most[0] <= 64

    @pytest.mark.parametrize(("sleeping", "left"), [(20, 20), (40, 0)])
    def test_background_processes_make_room_when_they_are_more_than_half(
        self, open_with: Callable[..., Sandbox], marker: str, sleeping: int, left: int
    ):
        sandbox = open_with(processes=64)
        sandbox.run(f"for i in $(seq {sleeping}); do sleep {marker} & done")
        result = sandbox.run("echo alive")
        assert result.stdout == b"alive\n"
        assert (b"all background processes were killed" in result.stderr) == (left == 0)
        assert len(processes_with(f"sleep\0{marker}")) == left

    def test_many_threads_count_as_many_processes(self, open_with: Callable[..., Sandbox]):
        sandbox = open_with(processes=32)
        many = "[threading.Thread(target=time.sleep, args=(2,)).start() for _ in range(99)]"
        result = sandbox.run(f"python3 -c 'import threading, time; {many}'", timeout_s=20)
        assert b"can't start new thread" in result.stderr

    def test_a_memory_hog_is_told_that_there_is_no_more(self, open_with: Callable[..., Sandbox]):
        sandbox = open_with(memory_bytes=256 * MEBIBYTE)
        result = sandbox.run("python3 -c 'x = bytearray(10**9)'", timeout_s=30)
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, b"MemoryError")

    def test_a_hog_of_memory_that_processes_share_is_killed(self, open_with: Callable[..., Sandbox]):
        sandbox = open_with(memory_bytes=256 * MEBIBYTE)
        program = "import mmap; m = mmap.mmap(-1, 10**9); [m.write(b'x' * 2**20) for _ in range(900)]"
        result = sandbox.run(f'python3 -c "{program}"', timeout_s=30)
        assert (result.exit_code, result.timed_out) == (137, False)
        assert sandbox.run("echo alive").stdout == b"alive\n"

    def test_files_and_processes_share_the_memory(self, open_with: Callable[..., Sandbox]):
        sandbox = open_with(memory_bytes=512 * MEBIBYTE)
        hold_200_mb = "python3 -c 'import time; x = bytearray(b\"x\") * 200_000_000; time.sleep(3)'"
        assert sandbox.run(hold_200_mb).exit_code == 0
        assert sandbox.run("head -c 300000000 /dev/zero > big").exit_code == 0
        assert sandbox.run(hold_200_mb).exit_code == 137

    def test_many_small_memory_hogs_are_contained_together(
        self, open_with: Callable[..., Sandbox], marker: str
    ):
        """Each is smaller than the server, which an out-of-memory killer would take first."""
        sandbox = open_with(memory_bytes=160 * MEBIBYTE, processes=512)
        hog = f"x=$(head -c 4000000 /dev/zero | tr '\\0' x); sleep {marker}; true"
        with highest(lambda: private_memory_bytes(processes_with(marker))) as most:
            sandbox.run(f'(for i in $(seq 80); do bash -c "{hog}" & done; wait) > /dev/null 2>&1 &')
            assert wait_until(lambda: most[0] > 64 * MEBIBYTE)
            time.sleep(2)  # all of them together want 400 MB
        assert most[0] < 256 * MEBIBYTE
        # Where the hogs left no memory, a command may be killed for want of it; the sandbox goes on.
        assert wait_until(lambda: sandbox.run("echo alive").stdout == b"alive\n")

    def test_shared_memory_counts_once(self, open_with: Callable[..., Sandbox]):
        """Forked readers of one large table, as pandas users start them, are no hogs."""
        sandbox = open_with(memory_bytes=512 * MEBIBYTE)
        program = (
            "import os, time; x = bytearray(b'x') * 200_000_000; "
            "pids = [os.fork() or (time.sleep(1), os._exit(0)) for _ in range(6)]; "
            "[os.wait() for _ in pids]; print('done')"
        )
        assert sandbox.run(f'python3 -c "{program}"', timeout_s=60).stdout == b"done\n"

    def test_the_processor_time_is_limited(self, kind: str, open_with: Callable[..., Sandbox]):
        sandbox = open_with(cpus=0.25)
        busy = "timeout 1 bash -c 'while :; do :; done'"
        times = sandbox.run(f"{busy} & {busy} & {busy} & wait; times").stdout.decode().split()
        seconds = sum(60 * float(m) + float(s) for m, s in (time.rstrip("s").split("m") for time in times))
        # bubblewrap grants whole processors: the next one up.
        assert seconds < {"docker": 0.5, "bubblewrap": 1.5}[kind]
        if kind == "bubblewrap":
            assert sandbox.run("nproc").stdout == b"1\n"


def test_the_snapshot_may_lie_where_only_its_owner_can_go(tmp_path: Path):
    """Else the tests of this folder, whose snapshots do, would prove less than they seem to."""
    assert any(folder.stat().st_mode & 0o007 == 0 for folder in tmp_path.parents)
