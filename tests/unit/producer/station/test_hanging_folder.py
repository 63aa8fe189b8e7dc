from __future__ import annotations

import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.station.hanging_folder import LookProgress, run_aside
from tests.support import wait_until

FOLDER = Path("camera")


def test_a_look_that_hangs_is_said_and_so_is_that_it_goes_on() -> None:
    progress, stop, answers = LookProgress(), threading.Event(), threading.Event()

    def work() -> None:
        with progress.look():
            for _ in progress.through(range(2)):
                answers.wait(60)
        stop.wait(60)

    with capture_logs() as logs:
        thread = threading.Thread(target=run_aside, args=(work, progress, FOLDER, stop), kwargs={"say_after": 0.01})
        thread.start()
        wait_until(lambda: len(logs) == 1, what="a word that it hangs")
        answers.set()
        wait_until(lambda: len(logs) == 2, what="a word that it goes on")
        stop.set()
        thread.join(60)
    assert [(entry["event"].partition(":")[0], entry["log_level"]) for entry in logs] == [
        ("the folder does not answer", "error"),
        ("the folder answers again", "warning"),
    ]


def test_who_is_told_to_stop_does_not_wait_for_a_folder_that_hangs() -> None:
    progress, stop, answers = LookProgress(), threading.Event(), threading.Event()

    def work() -> None:
        answers.wait(60)  # before the first look

    stop.set()
    with capture_logs() as logs:
        run_aside(work, progress, FOLDER, stop, end_after=0.01)
    answers.set()
    assert [entry["event"] for entry in logs] == ["ended in the middle of a look: the folder does not answer"]


def test_what_the_work_raises_is_raised() -> None:
    def work() -> None:
        raise FileNotFoundError("camera")

    with pytest.raises(FileNotFoundError):
        run_aside(work, LookProgress(), FOLDER, threading.Event())
