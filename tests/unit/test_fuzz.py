"""A short look at what `make fuzz` looks at for long, and whether that run would see what it is there to see."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import documents, pictures, run
from tests.fuzz.child import source
from tests.fuzz.targets import Line, run_answer, run_event, run_message, run_picture

SOURCE = st.randoms(use_true_random=False)
short = settings(derandomize=True, deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])


@short
@given(SOURCE)
def test_an_event_is_taken_or_refused(rng: Random) -> None:
    run_event(documents.event(rng))


@short
@given(SOURCE)
def test_an_answer_is_taken_or_refused(rng: Random) -> None:
    run_answer(documents.answer(rng))


@short
@given(SOURCE)
def test_a_message_reaches_its_task_whatever_it_is(rng: Random) -> None:
    run_message(documents.message(rng))


@short
@given(SOURCE)
def test_an_image_is_pixels_or_unusable(rng: Random) -> None:
    run_picture(pictures.picture(rng))


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    line = Line(tmp_path_factory.mktemp("line"))
    yield line
    line.close()


@short
@given(SOURCE)
def test_a_message_ends_as_a_fault_that_is_kept_and_told(line: Line, rng: Random) -> None:
    line.run(documents.message(rng))


@pytest.mark.parametrize("target", [documents.event, documents.message, documents.answer, pictures.picture])
def test_the_same_seed_gives_the_same_inputs(target: object) -> None:
    one, two = ([repr(target(source("1", "x", n))) for n in range(500)] for _ in range(2))  # type: ignore[operator]
    assert one == two
    assert len(set(one)) > 475


CHILD = """
import json, os, signal, struct, sys
target, seed, start, stop, path = sys.argv[1:]
for number in range(int(start), int(stop)):
    with open(path, "r+b") as board:
        board.write(struct.pack("qq", number, 7) + b"input %d" % number)
    if number == 3:
        print(json.dumps({"finding": "KeyError: x", "number": 3, "trace": "where"}), flush=True)
    if number == 5:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 7:
        signal.pause()
rss = {"after_a_tenth": 0, "rss": 2**30 if target == "leaky" else 0}
print(json.dumps({"results": {"accepted": int(stop) - int(start)}, "slowest": [0.5, 8], **rss}), flush=True)
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "COMMAND", [sys.executable, "-c", CHILD])
    monkeypatch.setattr(run, "HANG_SECONDS", 1.0)
    monkeypatch.setattr(run, "FOUND", tmp_path / "fuzz")
    return tmp_path / "fuzz"


def test_errors_crashes_and_hangs_are_found_and_their_inputs_kept(kept: Path) -> None:
    outcome = run.fuzz("event", "1", 10)
    assert [finding.split(":")[1].strip() for finding in outcome.findings] == ["KeyError", "crash", "hang"]
    assert (kept / "event-1-5.input").read_bytes() == b"input 5"
    assert (kept / "event-1-7.input").read_bytes() == b"input 7"
    assert "--seed 1 --target event --number 3" in (kept / "event-1-3.txt").read_text()
    assert outcome.inputs == 2, "those of the process that came to its end"
    assert outcome.slowest == (0.5, 8)


def test_memory_that_grows_is_found(kept: Path) -> None:
    (finding,) = run.fuzz("leaky", "1", 3).findings
    assert "memory grew by 1024 MiB" in finding
