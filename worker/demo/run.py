"""The demo: a whole line on this machine, from a labelled set to three checks of a head whose inserts wear."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import db.line.verdicts
from db.engine.database import Database
from producer.terminal.console import TerminalConsole, line, progress, waiting
from producer.terminal.counts import counted
from worker.demo.data import HEAD, divide, fresh_folder, leave_head
from worker.demo.report import CheckRun, Summary, show, summarise
from worker.embedded.redis_server import LOCAL, free_port
from worker.embedded.supervisor import StopSignal, Supervisor
from worker.embedded.system import EmbeddedSystem, StartFailed, free_console_port, locked
from worker.networks.store import NetworkMissing, NetworkStore
from worker.runtime.notices import tell_notes, tell_skipped
from worker.settings import WorkerSettings

LABELLED_IMAGES: Final = 240
"""Rendered images that the first model of a demo learns from."""

_WORKER: Final = (sys.executable, "-m", "worker.commands.main")


@dataclass(frozen=True)
class DemoOptions:
    """What `insert-worker demo` was asked for."""

    data: Path
    dataset: Path | None
    intact_class: str | None
    backbone: str | None
    weights: str | None
    checks: int
    pockets: int
    seed: int
    stays: bool
    """Whether the console stays up at the end, for a person at a terminal, until Enter."""


class Interrupted(Exception):
    """The demo was asked to stop."""


def run_demo(options: DemoOptions, console: TerminalConsole) -> Summary:
    """Run the demo, showing what happens on `console`; every process that it started has ended on return.

    Raises:
        StartFailed: a part did not come up, or the data folder is not a demo's to replace.
        DatasetError: the user's labelled photographs cannot be used.
    """
    started = time.monotonic()
    with StopSignal() as stop:
        kept = fresh_folder(options.data)
        if kept is not None:
            line(console, f"what people said in the demo of before is kept in {kept}")
        with locked(options.data), Supervisor() as supervisor:
            demo = _Demo(options, console, supervisor, stop)
            try:
                runs = demo.run()
            except Interrupted:
                line(console, ("stopped", "yellow"), ", every process that was started has been ended")
                runs = demo.runs
            summary = _summary(demo, started, complete=not stop.came)
            show(console, summary, runs, options.data)
            if options.stays and summary.complete:
                demo.stay()
    return summary


def _summary(demo: _Demo, started: float, complete: bool) -> Summary:
    with Database(demo.settings.url).reading() as session:
        rows = list(db.line.verdicts.export(session))
        verdicts = db.line.verdicts.count(session)
    if demo.runs:
        leave_head(rows, demo.runs[-1].operation, demo.settings.image_store(), demo.settings.data / HEAD)
        _fit_lives(demo.settings.url)
    return summarise(demo.runs, rows, verdicts, time.monotonic() - started, complete=complete)


class _Demo:
    def __init__(self, options: DemoOptions, console: TerminalConsole, supervisor: Supervisor, stop: StopSignal):
        self._options = options
        self._console = console
        self._stop = stop
        choice: dict[str, Any] = {"backbone": options.backbone, "weights": options.weights}
        self.settings = WorkerSettings(
            data=options.data.absolute(),
            # A demo is the embedded system, whatever line the environment is set up for.
            redis_url=None,
            database_url=None,
            images=None,
            models=None,
            outbox=None,
            # Weights are this machine's, not the demo's, whose folder the next one replaces.
            weights_folder=WorkerSettings().weights_path().absolute(),
            # So that the folder is a whole line, which `standalone` and `train` can go on with.
            networks=str(options.data.absolute() / "networks"),
            **{name: value for name, value in choice.items() if value is not None},
        )
        self._system = EmbeddedSystem(self.settings, supervisor)
        self._supervisor = supervisor
        self._board = ""
        self.runs: list[CheckRun] = []

    def run(self) -> list[CheckRun]:
        options = self._options
        with self._step("a real Redis, a migrated database"):
            self._system.migrate()
            self._system.start_redis(free_port())
        with self._step("a labelled set to learn from", "some ten seconds") as emit:
            folder, shown, phrase = self._rendered() if options.dataset is None else self._divided(options.dataset)
            emit(phrase)
        with self._step("the network that looks at them", "built the first time: half a minute") as emit:
            emit(self._network())
        with self._step("training the first model", "some ten seconds") as emit:
            emit(self._train(folder))
        with self._step("a worker, and the console"):
            pages = free_console_port()
            self._system.start_console(pages, open_board=True)  # before the worker, which takes as long to start
            self._system.start_worker(should_stop=lambda: self._stop.came)
        self._board = f"http://{LOCAL.host}:{pages}/board"
        line(self._console, ("in a browser", "bold"), f" while the demo runs: {self._board}")
        self._inspect(shown)
        return self.runs

    def stay(self) -> None:
        """Keep the console up until Enter, Ctrl-C or SIGTERM."""
        line(self._console, ("see the head", "bold"), f" in a browser: {self._board} (Enter ends the demo)")
        termios.tcflush(sys.stdin, termios.TCIFLUSH)  # an Enter of before is not meant
        with selectors.DefaultSelector() as selector:
            selector.register(sys.stdin, selectors.EVENT_READ)
            while not self._stop.came and not selector.select(timeout=0.2):
                self._supervisor.restart_dead()

    def _rendered(self) -> tuple[Path, list[str], str]:
        """Rendered photographs of a line to learn from, and the station's options to show a head of that line."""
        folder, seed = self._options.data / "labelled", ["--seed", str(self._options.seed)]
        images = ["--images", str(LABELLED_IMAGES), "--to", str(folder)]
        self._finish([sys.executable, "-m", "producer.commands.main", "simulate", *seed, *images], "render")
        return folder, seed, f"{LABELLED_IMAGES} rendered inserts"

    def _divided(self, dataset: Path) -> tuple[Path, list[str], str]:
        """The user's photographs to learn from, and the station's options to show the others."""
        divided = divide(dataset, self._options.data, self._options.seed, self._options.intact_class)
        tell_skipped(divided.skipped, self._console)
        tell_notes(divided.notes, self._console)
        skipped = f", {len(divided.skipped)} skipped" if divided.skipped else ""
        phrase = f"{counted(divided.learnt, 'photograph')}, {divided.shown} others for the line{skipped}"
        return divided.folder, ["--photographs", str(divided.listed)], phrase

    def _network(self) -> str:
        """The network's file: from this machine's store, or built, which takes half a minute, and left there too.

        So only the first demo builds it.
        """
        name, weights = self.settings.backbone, self._options.weights
        own, of_machine = (
            NetworkStore(self.settings.networks_root()),
            NetworkStore(_absolute(WorkerSettings().networks_root())),
        )
        try:
            manifest = of_machine.named(name)
        except NetworkMissing:
            chosen = ["--weights", weights] if weights else []
            self._finish([*_WORKER, "networks", "build", name, *chosen], "network")
            manifest = own.named(name)
            of_machine.add(own.read(manifest), manifest)
            return f"{name}, built"
        own.add(of_machine.read(manifest), manifest)
        return name

    def _train(self, folder: Path) -> str:
        # Promoted whatever its scores: a demo shows how its answers come out.
        trained = json.loads(self._finish([*_WORKER, "train", str(folder), "--promote", "--json"], "train"))
        tell_notes([] if trained["promote"] else trained["warnings"], self._console)
        return f"{trained['model']} from {trained['trained_on']} images"

    def _finish(self, command: list[str], name: str) -> str:
        """Run a command of the system to its end and return what it printed."""
        log_file = self._options.data / "logs" / f"{name}.log"
        with self._process(command, log_file) as process:
            output = b"".join(self._lines(process))
            if process.wait() != 0:
                raise StartFailed(f"{name} failed:\n{_tail(log_file)}")
        return output.decode()

    @contextmanager
    def _process(self, command: list[str], log_file: Path) -> Iterator[subprocess.Popen[bytes]]:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with (
            log_file.open("ab") as log,
            subprocess.Popen(
                [sys.executable, "-m", "worker.embedded.die_with_parent", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._system.environment(),
                start_new_session=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def _lines(self, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
        """What a process prints, line by line, while the other processes are supervised."""
        assert process.stdout is not None  # noqa: S101 - for the type checker; it was opened as a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            pending = b""
            while True:
                if self._stop.came:
                    raise Interrupted
                self._supervisor.restart_dead()
                if not selector.select(timeout=0.2):
                    continue
                chunk = process.stdout.read1()  # type: ignore[attr-defined]
                if not chunk:
                    if pending:
                        yield pending
                    return
                *whole, pending = (pending + chunk).split(b"\n")
                yield from (line + b"\n" for line in whole)

    def _inspect(self, shown: list[str]) -> None:
        options = self._options
        command = [
            sys.executable,
            "-m",
            "producer.commands.main",
            "simulate",
            "--json",
            "--pockets",
            str(options.pockets),
        ]
        command += ["--checks", "0" if options.dataset else str(options.checks), *shown]
        line(self._console, ("checks", "bold"), " station → image store → Redis → worker → database → station")
        log_file = options.data / "logs" / "station.log"
        bars = progress(self._console, transient=False, before="  ")
        with bars, self._process(command, log_file) as process:
            bar = None
            for printed in self._lines(process):
                event = json.loads(printed)
                if event["event"] == "check":
                    self.runs.append(CheckRun(event["operation"], event["size"]))
                    bar = bars.add_task(f"after {event['operation']}", total=event["size"])
                    continue
                self.runs[-1].take(event)
                if bar is not None:
                    bars.update(bar, completed=len(self.runs[-1].answered))
            process.wait()
        if not self.runs:
            raise StartFailed(f"the station failed:\n{_tail(log_file)}")

    @contextmanager
    def _step(self, what: str, expected: str = "") -> Iterator[Callable[[str], None]]:
        """Show one step of the start: a spinner while it goes on, with the time it may take; then how long it took."""
        if self._stop.came:
            raise Interrupted
        details: list[str] = []
        started = time.monotonic()
        with waiting(self._console, f"{what} ({expected})" if expected else what):
            yield details.append
        if self._stop.came:
            raise Interrupted
        detail = f" {details[0]}" if details else ""
        line(self._console, ("✓", "green"), f" {what}", (f"{detail} {time.monotonic() - started:.1f} s", "dim"))


def _fit_lives(url: str) -> None:
    """Fit how long the inserts last, as the learner of a line does every quarter of an hour."""
    from worker.learning.remaining_life import fit_lives

    database = Database(url)
    try:
        fit_lives(database)
    finally:
        database.close()


def _absolute(root: str) -> str:
    return root if "://" in root else str(Path(root).absolute())


def _tail(log_file: Path) -> str:
    return log_file.read_text(encoding="utf-8", errors="replace")[-2000:]
