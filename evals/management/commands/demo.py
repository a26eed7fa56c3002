"""manage.py demo: from nothing to a site with graded runs, served until Ctrl-C; --check asks its pages."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from argparse import SUPPRESS, ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from evals import runner
from evals.management import demonstration, page_checks
from evals.management.children import ChildDied, Children
from evals.models import Evaluation, Run, RunState

HOST = "127.0.0.1"
FIRST_PORT, PORTS_TRIED = 8000, 20
SERVER_WITHIN_S = 60
CHECK_WITHIN_S = 600
LOOK_AGAIN_S = 0.5
TELL_AGAIN_S = 3


class Command(BaseCommand):
    help = "Evaluate the built-in baselines on sample incidents and serve the pages, until Ctrl-C."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help=f"default: the first free one from {FIRST_PORT}")
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="default: ITBENCH_DATA_DIR")
        parser.add_argument("--repeats", type=int, default=3, metavar="N", help="attempts at each task (3)")
        parser.add_argument(
            "--check",
            action="store_true",
            help="in a temporary folder: wait for the evaluations, ask every page, end with 0 or 1",
        )
        parser.add_argument("--temporary", action="store_true", help=SUPPRESS)  # the data goes at the end

    def handle(self, *args: Any, **options: Any) -> None:
        if options["repeats"] < 1:
            raise CommandError(f"--repeats is {options['repeats']}: use 1 or more", returncode=2)
        if options["check"] and not options["data"]:
            options |= {"data": Path(tempfile.mkdtemp(prefix="itbench-demo-")), "temporary": True}
        if options["data"] and options["data"].absolute() != settings.ITBENCH_DATA_DIR:
            start_again_with_data_in(options["data"].absolute(), options)
        # SIGTERM and a closed terminal end the demo as Ctrl-C does, with everything it started.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        try:
            self.demonstrate(options)
        except KeyboardInterrupt:
            kept = "" if options["temporary"] else " The data is kept; the same command goes on from here."
            self.tell(f"\nStopped.{kept}")
            raise SystemExit(130 if options["check"] else 0) from None
        except ChildDied as problem:
            raise CommandError(str(problem)) from problem
        finally:
            if options["temporary"]:
                connections.close_all()
                shutil.rmtree(settings.ITBENCH_DATA_DIR, ignore_errors=True)

    def demonstrate(self, options: dict[str, Any]) -> None:
        port = chosen_port(options["port"], anywhere=options["check"])
        account = demonstration.prepare(self.tell)
        if options["check"] and Evaluation.objects.exists():
            raise CommandError(
                "The check wants a database without evaluations: unset DATABASE_URL", returncode=2
            )
        with Children(settings.ITBENCH_DATA_DIR / "logs") as children:
            try:
                start_site(children, port)
                self.introduce(port, account)
                evaluations = demonstration.queue_evaluations(options["repeats"])
                self.tell(f"  The agents work in: {sandboxes_of(evaluations)}\n")
                self.watch(evaluations, children, CHECK_WITHIN_S if options["check"] else None)
                if options["check"]:
                    self.ask_pages(page_checks.Site(address(port), account, evaluations))
                else:
                    self.keep_serving(children, port)
            finally:
                stop_site(children)

    def introduce(self, port: int, account: demonstration.Account) -> None:
        password = account.password or "(the one you gave it)"
        self.tell(f"\n  Watch:  {address(port)}/")
        self.tell(f"  Admin:  {address(port)}/admin/  name {account.name}, password {password}\n")

    def watch(self, evaluations: list[Evaluation], children: Children, within_s: float | None) -> None:
        """Tell how far the evaluations are, until all have ended."""
        began, told, told_at = time.monotonic(), "", 0.0
        while active(evaluations):
            children.check()
            now = time.monotonic()
            if within_s is not None and now - began > within_s:
                raise CommandError(
                    f"The evaluations have not ended after {within_s:.0f} s: {progress(evaluations)}"
                )
            if (line := progress(evaluations)) != told and now - told_at >= TELL_AGAIN_S:
                self.tell(f"  {now - began:4.0f} s  {line}")
                told, told_at = line, now
            time.sleep(LOOK_AGAIN_S)
        for evaluation in evaluations:
            evaluation.refresh_from_db()
            self.tell(f"  {demonstration.result_line(evaluation)}")

    def keep_serving(self, children: Children, port: int) -> None:
        self.tell(f"\nServing {address(port)}/ until Ctrl-C.")
        while True:
            children.check()
            time.sleep(LOOK_AGAIN_S)

    def ask_pages(self, site: page_checks.Site) -> None:
        findings = list(page_checks.findings(site, self.tell))
        failed = sum(not finding.holds for finding in findings)
        self.tell(f"{len(findings) - failed} passed, {failed} failed")
        if failed:
            raise SystemExit(1)

    def tell(self, text: str) -> None:
        self.stdout.write(text + "\n")
        self.stdout.flush()


def start_again_with_data_in(folder: Path, options: dict[str, Any]) -> None:
    """Replace this process by one whose settings look into the folder; settings are read once, at start."""
    if os.environ.get("ITBENCH_DATA_DIR") == str(folder):
        raise CommandError(f"The settings don't take {str(folder)!r} as their data folder", returncode=2)
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", "--data", str(folder)]
    command += ["--repeats", str(options["repeats"])]
    command += [f"--{flag}" for flag in ("check", "temporary") if options[flag]]
    if options["port"] is not None:
        command += ["--port", str(options["port"])]
    os.execve(sys.executable, command, {**os.environ, "ITBENCH_DATA_DIR": str(folder)})


def address(port: int) -> str:
    return f"http://{HOST}:{port}"


def chosen_port(wanted: int | None, *, anywhere: bool) -> int:
    """Return a port that is free at this moment."""
    if wanted is not None:
        if not free(wanted):
            raise CommandError(f"Port {wanted} is taken: choose another with --port", returncode=2)
        return wanted
    if anywhere:
        with socket.create_server((HOST, 0)) as server:
            return int(server.getsockname()[1])
    ports = range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    found = next(filter(free, ports), None)
    if found is None:
        raise CommandError(f"Ports {ports[0]} to {ports[-1]} are taken: choose one with --port", returncode=2)
    return found


def free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except (OSError, OverflowError):
        return False
    return True


def start_site(children: Children, port: int) -> None:
    """Start server and worker, and return when the server answers."""
    environment = {**os.environ, "ITBENCH_DATA_DIR": str(settings.ITBENCH_DATA_DIR)}
    server = ["-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)]
    server += ["--blocking-threads", "4", "itbench_site.wsgi:application"]
    children.start("server", [sys.executable, *server], environment)
    worker = [str(settings.BASE_DIR / "manage.py"), "run_huey"]
    children.start("worker", [sys.executable, *worker], environment)
    deadline = time.monotonic() + SERVER_WITHIN_S
    while not answers(f"{address(port)}/healthz"):
        children.check()
        if time.monotonic() > deadline:
            raise CommandError(f"The server does not answer after {SERVER_WITHIN_S} s")
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def stop_site(children: Children) -> None:
    """End server and worker. Runs they had in hand are queued again; their sandboxes end by themselves."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    children.stop()
    runner.release_lost()


def active(evaluations: list[Evaluation]) -> bool:
    ids = [evaluation.pk for evaluation in evaluations]
    return Evaluation.objects.filter(pk__in=ids, state__in=Evaluation.ACTIVE).exists()


def sandboxes_of(evaluations: list[Evaluation]) -> str:
    return ", ".join(sorted({evaluation.get_sandbox_display() for evaluation in evaluations}))


def progress(evaluations: list[Evaluation]) -> str:
    return ", ".join(progress_of(evaluation) for evaluation in evaluations)


def progress_of(evaluation: Evaluation) -> str:
    states = Counter(Run.objects.filter(evaluation=evaluation).values_list("state", flat=True))
    done = states.total() - states[RunState.QUEUED] - states[RunState.RUNNING]
    errored = f" ({states[RunState.ERRORED]} errored)" if states[RunState.ERRORED] else ""
    return f"{evaluation.language_model.slug} {done} of {states.total()}{errored}"
