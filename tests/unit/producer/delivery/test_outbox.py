from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.contract.event import CaptureEvent
from producer.delivery.outbox import LAST_RESEND, Outbox, OutboxFull
from tests.support import message


def event(pocket: int = 7) -> CaptureEvent:
    return CaptureEvent.from_message(message(pocket=pocket))


def test_events_survive_until_they_are_confirmed(tmp_path: Path) -> None:
    first, second = event(1), event(2)
    box = Outbox(tmp_path / "out" / "box.db")
    box.add(first, 100.0)
    box.add(second, 101.0)
    box.close()
    box = Outbox(tmp_path / "out" / "box.db")
    assert [waiting.event for waiting in box.waiting()] == [first, second]
    box.confirm([str(first.capture_id), "unknown"])
    assert [waiting.event for waiting in box.waiting()] == [second]
    assert len(box) == 1


def test_the_same_event_is_kept_once(tmp_path: Path) -> None:
    box, one = Outbox(tmp_path / "box.db"), event()
    box.add(one, 1.0)
    box.sent({str(one.capture_id): 50.0})
    box.add(one, 2.0)
    (kept,) = box.waiting()
    assert (kept.stored_at, kept.attempts) == (1.0, 1)


def test_what_is_due_comes_in_order(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    events = [event(pocket) for pocket in (1, 2, 3)]
    for number, one in enumerate(events):
        box.add(one, float(number))
    box.sent({str(events[0].capture_id): 10.0})
    assert [waiting.event.pocket for waiting in box.due(2.0)] == [2, 3]
    assert [waiting.event.pocket for waiting in box.due(10.0)] == [2, 3, 1]
    assert box.next_due() == 1.0
    box.sent({str(one.capture_id): 11.0 + number for number, one in enumerate(events)})
    assert box.due(10.0) == []
    assert [waiting.event.pocket for waiting in box.due(12.0)] == [1, 2]
    assert [waiting.event.pocket for waiting in box.due(12.0, limit=1)] == [1]


TEN_HOURS = 10 * 3600.0
DAY_IN_2099 = 4_070_908_800.0
NOW = 1_800_000_000.0


@pytest.mark.parametrize("was", [NOW + TEN_HOURS, NOW - TEN_HOURS, 0.0, DAY_IN_2099])
def test_a_clock_that_is_set_keeps_nothing_waiting(tmp_path: Path, was: float) -> None:
    """Whatever the clock was when an event was stored or sent, it goes out now, once."""
    box, stored, sent = Outbox(tmp_path / "box.db"), event(1), event(2)
    box.add(sent, was)
    box.sent({str(sent.capture_id): was + LAST_RESEND})
    box.add(stored, was)
    assert [waiting.event for waiting in box.due(NOW)] == [stored, sent]
    box.sent({str(one.capture_id): NOW + LAST_RESEND for one in (stored, sent)})
    assert box.due(NOW) == box.due(NOW - 1) == [], "a clock that goes back a little makes no storm"


def test_events_leave_in_the_order_in_which_they_came_whatever_the_clock_was(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    for pocket, now in enumerate((NOW + TEN_HOURS, NOW, 0.0, DAY_IN_2099, NOW + 1), 1):
        box.add(event(pocket), now)
    assert [waiting.event.pocket for waiting in box.due(NOW)] == [1, 2, 3, 4, 5]
    assert [waiting.event.pocket for waiting in box.waiting()] == [1, 2, 3, 4, 5]


def test_everything_can_be_tried_at_once(tmp_path: Path) -> None:
    box, one = Outbox(tmp_path / "box.db"), event()
    box.add(one, NOW)
    box.sent({str(one.capture_id): NOW + 200.0})
    assert box.due(NOW) == []
    box.make_all_due(note=("hurried", "now"))
    assert [waiting.event for waiting in box.due(NOW)] == [one]
    assert box.note("hurried") == "now"


def test_an_outbox_of_an_earlier_version_keeps_its_order(tmp_path: Path) -> None:
    first, second = event(1), event(2)
    old = sqlite3.connect(tmp_path / "box.db")
    old.executescript(
        "CREATE TABLE waiting (capture_id TEXT PRIMARY KEY, event TEXT NOT NULL, stored_at REAL NOT NULL,"
        " attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, problem TEXT) WITHOUT ROWID"
    )
    for one, now in ((second, 2.0), (first, 1.0)):
        old.execute(
            "INSERT INTO waiting (capture_id, event, stored_at, next_at) VALUES (?, ?, ?, ?)",
            (str(one.capture_id), one.model_dump_json(exclude_none=True), now, now),
        )
    old.commit()
    old.close()
    boxes = [Outbox(tmp_path / "box.db") for _ in range(2)]
    third = event(3)
    boxes[1].add(third, 0.0)
    assert [waiting.event for waiting in boxes[0].due(NOW)] == [first, second, third]


def test_a_failed_attempt_is_told_and_not_counted(tmp_path: Path) -> None:
    box, one = Outbox(tmp_path / "box.db"), event()
    box.add(one, 1.0)
    box.not_sent([str(one.capture_id)], 5.0, "Redis is away")
    waiting = box.find(str(one.capture_id))
    assert waiting is not None
    assert (waiting.attempts, waiting.next_at, waiting.problem) == (0, 5.0, "Redis is away")


def test_a_note_is_kept_with_the_event_or_not_at_all(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    box.add(event(), 1.0, note=("file", "submitted"))
    assert box.note("file") == "submitted"
    assert box.note("other") is None
    assert box.first_note("check", "a") == "a"
    assert box.first_note("check", "b") == "a"


def test_notes_are_found_by_their_beginning_and_forgotten(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    for name in ("file:a_1", "file:a%2", "check:a", "position:s"):
        box.first_note(name, "x")
    assert box.notes("file:a_") == {"file:a_1": "x"}
    box.forget_notes(["file:a_1", "file:a%2", "unknown"])
    assert box.notes("").keys() == {"check:a", "position:s"}


def test_a_failing_write_keeps_nothing(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    with pytest.raises(sqlite3.Error):
        box.add(event(), 1.0, note=("name", None))  # type: ignore[arg-type]
    assert len(box) == 0
    box.add(event(), 1.0)
    assert len(box) == 1


def test_two_processes_worth_of_writers_share_it(tmp_path: Path) -> None:
    boxes = [Outbox(tmp_path / "box.db") for _ in range(4)]

    def fill(box: Outbox) -> None:
        for pocket in range(1, 26):
            box.add(event(pocket), 1.0)

    threads = [threading.Thread(target=fill, args=(box,)) for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(box) for box in boxes} == {100}


def test_a_file_that_is_no_outbox_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "box.db"
    file.write_bytes(b"something else, long enough to be looked at as a database" * 20)
    with pytest.raises(sqlite3.DatabaseError):
        Outbox(file)
    assert file.read_bytes().startswith(b"something else")


def test_at_the_limit_it_refuses_and_drops_nothing(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db", limit=2)
    kept = [event(1), event(2)]
    for one in kept:
        box.check_room()
        box.add(one, 1.0)
    with pytest.raises(OutboxFull, match="INSERTS_OUTBOX_LIMIT=2"):
        box.check_room()
    assert [waiting.event for waiting in box.waiting()] == kept
    box.confirm([str(kept[0].capture_id)])
    box.check_room()


def test_it_warns_long_before_and_once(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db", limit=10)
    with capture_logs() as logs:
        for _ in range(10):
            box.check_room()
            box.add(event(), 1.0)
    assert [(entry["waiting"], entry["over"]) for entry in logs] == [(5, "50%"), (8, "80%")]


def test_what_never_left_is_counted(tmp_path: Path) -> None:
    box, first, second = Outbox(tmp_path / "box.db"), event(1), event(2)
    box.add(first, 1.0)
    box.add(second, 1.0)
    box.not_sent([str(second.capture_id)], 1.0, "Redis is away")
    box.sent({str(first.capture_id): 9.0})
    assert box.unsent() == 1
    box.sent({str(second.capture_id): 9.0})
    assert box.unsent() == 0
    assert [waiting.problem for waiting in box.waiting()] == [None, None]


_OPENS = """
import sys
from pathlib import Path
from producer.delivery.outbox import Outbox
sys.stdin.readline()
Outbox(Path(sys.argv[1])).close()
"""


def test_several_processes_may_open_a_new_outbox_at_one_moment(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _OPENS, str(tmp_path / "outbox.db")]
    starting = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(6)]
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.close()
    assert [process.wait(60) for process in starting] == [0] * 6
