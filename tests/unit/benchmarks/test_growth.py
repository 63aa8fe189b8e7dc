from itertools import islice
from uuid import UUID

import pytest

from benchmarks import growth
from benchmarks.history import seen
from benchmarks.run import BENCHMARKS
from producer.contract.event import CaptureEvent


def test_the_plant_s_captures_arrive_as_events_of_the_contract():
    for each in islice(seen(1), 50):
        event = CaptureEvent.from_message(growth.message(each))
        assert event.capture_id == UUID(each.capture_id)
        assert (event.machine, event.head, event.pocket) == (each.machine, each.head, each.pocket)
        assert event.captured_at.isoformat(" ", "microseconds") == f"{each.captured_at}+00:00"
        assert event.check_size == each.check_size


class Timed:
    """Stands for a database; says how long a capture takes in its next rounds."""

    def __init__(self, name, seconds, turns):
        self._name, self._seconds, self._turns = name, iter(seconds), turns

    def seconds_per_capture(self, captures):
        assert captures == 10
        self._turns.append(self._name)
        return next(self._seconds)


def test_databases_take_turns_in_going_first_and_the_first_round_does_not_count():
    turns: list[str] = []
    small, large = Timed("s", [9, 1, 5, 2], turns), Timed("l", [9, 4, 3, 3], turns)
    assert growth._in_turn([small, large], captures=10, rounds=3) == [2, 3]
    assert "".join(turns) == "sl" + "sl" + "ls" + "sl"


def test_both_engines_are_benchmarks_with_the_target_of_the_issue():
    for name in ("growth_sqlite", "growth_postgresql"):
        benchmark = BENCHMARKS[name]
        assert (benchmark.target, benchmark.at_least) == (1.10, False)


@pytest.mark.parametrize("options", [["--sizes", "10"], ["--sizes", "20", "10"], ["--samples", "0"]])
def test_the_command_refuses_what_says_nothing(options, capsys):
    with pytest.raises(SystemExit):
        growth.main(["sqlite", *options])
    assert "must be" in capsys.readouterr().err


def test_growth_is_measured_on_sqlite(capsys):
    (ratio,) = growth.ratios("sqlite", (30, 300, 3000), samples=1, captures=20, rounds=2)
    assert 0.05 < ratio < 20
    shown = capsys.readouterr().out
    assert "a capture among 30: " in shown
    assert "3,000: " in shown


def test_captures_that_do_not_become_verdicts_are_no_measurement(monkeypatch):
    monkeypatch.setattr(growth, "IMAGE", b"one image")
    monkeypatch.setattr(growth.FolderStore, "get", lambda *_: b"another image")
    with pytest.raises(RuntimeError, match="not every capture"):
        growth.ratios("sqlite", (10, 20), samples=1, captures=5, rounds=1)
