"""`python -m tests.fuzz.run`: the long fuzzing run; prints a table, exit code 1 if there is any finding.

Each target runs in a process of its own, so that a crash in a decoder's C code is found like everything else. The input
of a finding is kept in var/fuzz, with what it did beside it; the printed seed and its number make it again.
"""

from __future__ import annotations

import argparse
import collections
import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.fuzz.child import BOARD_BYTES, Board, source
from tests.fuzz.targets import targets

COMMAND: Final = [sys.executable, "-m", "tests.fuzz.child"]

FOUND: Final = Path("var") / "fuzz"

HANG_SECONDS: Final = 60.0
"""Seconds without an end of one input after which its process is ended: twelve times what is slow (`SLOW_SECONDS`),
because here the clock counts, and the machine may have other work."""

GROWTH: Final = 64 * 2**20
"""Bytes that the process may grow by after the first tenth. By then everything that is made once is there (tables of
codecs, compiled patterns, SQLite's pages); what remains is the allocator's noise: with images 20 MB in a run of 100,000
and 27 MB in one of 20,000, with the others 2 MB. A leak of 750 bytes an input is beyond it in a run of 100,000."""

MOST_FINDINGS: Final = 20
"""After so many of one target, it is given up."""

SHARES: Final = {"event": 1.0, "answer": 1.0, "message": 1.0, "picture": 1.0, "line": 0.1}
"""How much of N each target gets; a message's whole way, into a database, takes ten times as long as the others."""


@dataclass
class Outcome:
    """What became of one target's inputs."""

    inputs: int = 0
    results: collections.Counter[str] = field(default_factory=collections.Counter)
    slowest: tuple[float, int] = (0.0, 0)
    after_a_tenth: int = 0
    rss: int = 0
    findings: list[str] = field(default_factory=list)


def fuzz(target: str, seed: str, stop: int, start: int = 0) -> Outcome:
    """Give the inputs from number `start` to before `stop` to a target, in as many processes as it takes."""
    outcome = Outcome()
    with tempfile.NamedTemporaryFile(prefix="inserts-fuzz-") as file:
        file.truncate(BOARD_BYTES)
        board = Board(Path(file.name))
        while start < stop and len(outcome.findings) < MOST_FINDINGS:
            board.write(start - 1, b"")
            ended = _one_process(target, seed, start, stop, board, Path(file.name), outcome)
            number, data = board.read()
            start = stop if ended is None else number + 1
            if ended is not None:
                _keep(outcome, target, seed, number, data, ended, "")
    if outcome.rss - outcome.after_a_tenth > GROWTH:
        grown = (outcome.rss - outcome.after_a_tenth) / 2**20
        outcome.findings.append(f"{target}: memory grew by {grown:.0f} MiB, allowed are {GROWTH / 2**20:.0f}")
    return outcome


def _one_process(
    target: str, seed: str, start: int, stop: int, board: Board, path: Path, outcome: Outcome
) -> str | None:
    """Run inputs until all are done (None) or the process ends before that (how)."""
    arguments = [target, seed, str(start), str(stop), str(path)]
    child = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True)
    watch = _Watch(board, child)
    watch.start()
    before, counted = outcome.results.copy(), outcome.inputs
    assert child.stdout is not None
    for line in child.stdout:
        said = json.loads(line)
        if "finding" in said:
            number, data = board.read()
            shown = data if number == said["number"] else b""
            _keep(outcome, target, seed, said["number"], shown, said["finding"], said["trace"])
            if len(outcome.findings) >= MOST_FINDINGS:
                child.kill()
        else:
            outcome.results = before + collections.Counter(said["results"])
            outcome.inputs = counted + sum(said["results"].values())
            outcome.slowest = max(outcome.slowest, tuple(said["slowest"]))
            outcome.after_a_tenth, outcome.rss = said["after_a_tenth"], said["rss"]
    code = child.wait()
    watch.done.set()
    if code == 0:
        return None
    if watch.hung:
        return f"hang: no end within {HANG_SECONDS:.0f} s"
    return f"crash: the process ended with {code}"


class _Watch(threading.Thread):
    """Ends a process whose input does not change any more."""

    def __init__(self, board: Board, child: subprocess.Popen[str]):
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.hung = False
        self._board, self._child = board, child

    def run(self) -> None:
        last, since = self._board.read()[0], time.monotonic()
        while not self.done.wait(0.5):
            number = self._board.read()[0]
            if number != last:
                last, since = number, time.monotonic()
            elif time.monotonic() - since > HANG_SECONDS:
                self.hung = True
                self._child.kill()
                return


def _keep(outcome: Outcome, target: str, seed: str, number: int, data: bytes, problem: str, trace: str) -> None:
    """Note a finding, and keep its input."""
    if not data and number >= 0 and not problem.startswith(("crash", "hang")):
        made = targets()  # the line's inputs are made as the messages are
        which = made.get(target, made["message"])
        data = which.shown(which.make(source(seed, target, number)))
    FOUND.mkdir(parents=True, exist_ok=True)
    name = f"{target}-{seed}-{number}"
    (FOUND / f"{name}.input").write_bytes(data)
    again = f"again: python -m tests.fuzz.run --seed {seed} --target {target} --number {number}"
    (FOUND / f"{name}.txt").write_text(f"{problem}\n{again}\n{trace}", encoding="utf-8", errors="backslashreplace")
    outcome.findings.append(f"{target} {number}: {problem} (kept as {FOUND / name}.input)")


def main() -> int:
    """Run it and return the exit code."""
    parser = argparse.ArgumentParser(
        description="Give broken and hostile inputs to everything that reads from outside."
    )
    parser.add_argument("--inputs", type=int, default=100_000, help="inputs for each target; for `line` a tenth of it")
    parser.add_argument("--seed", default=None, help="the same seed gives the same inputs; random if absent")
    parser.add_argument("--target", choices=SHARES, action="append", help="only this one; may be given several times")
    parser.add_argument(
        "--number", type=int, default=None, help="the one input of that number, with --seed and --target"
    )
    options = parser.parse_args()
    seed = options.seed or str(secrets.randbelow(10**6))
    print(f"seed {seed}", flush=True)
    findings: list[str] = []
    for target in options.target or SHARES:
        count = max(1, int(options.inputs * SHARES[target]))
        begun = time.monotonic()
        one = options.number
        found = fuzz(target, seed, count) if one is None else fuzz(target, seed, one + 1, one)
        findings += found.findings
        seconds, number = found.slowest
        print(f"\n{target}: {found.inputs:,} inputs in {time.monotonic() - begun:.0f} s")
        for result, times in found.results.most_common(12):
            print(f"  {times:>9,}  {result}")
        if rest := sum(found.results.values()) - sum(times for _, times in found.results.most_common(12)):
            print(f"  {rest:>9,}  other reasons")
        print(f"  slowest: number {number}, {seconds * 1000:.0f} ms of the processor")
        print(f"  memory: {found.after_a_tenth / 2**20:.0f} MiB after a tenth, {found.rss / 2**20:.0f} MiB at the end")
        print(f"  findings: {len(found.findings)}", flush=True)
    for finding in findings:
        print(f"FINDING {finding}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
