from __future__ import annotations

import multiprocessing
import random
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.contract.event import CaptureEvent
from producer.delivery.outbox import NEWEST_ID, Outbox
from producer.delivery.outbox_room import OutboxFull
from producer.delivery.resend import LAST_RESEND
from tests.support import message


def event(pocket: int = 7) -> CaptureEvent:
    return CaptureEvent.from_message(message(pocket=pocket))


def send(box: Outbox, *messages: list[CaptureEvent], next_at: float) -> None:
    box.sent([[str(each.capture_id) for each in message] for message in messages], next_at)


def answer(box: Outbox, *events: CaptureEvent, overtaken_at: float, now: float = 0.0) -> None:
    box.confirm([str(each.capture_id) for each in events], now, overtaken_at)


def pockets_due(box: Outbox, now: float, limit: int = 100) -> list[int]:
    return [waiting.event.pocket for waiting in box.due(now, LAST_RESEND, limit)]


def test_events_survive_until_they_are_confirmed(tmp_path: Path) -> None:
    first, second = event(1), event(2)
    box = Outbox(tmp_path / "out" / "box.db")
    box.add(first, 100.0)
    box.add(second, 101.0)
    box.close()
    box = Outbox(tmp_path / "out" / "box.db")
    assert [waiting.event for waiting in box.waiting()] == [first, second]
    box.confirm([str(first.capture_id), "unknown"], 0.0, 0.0)
    assert [waiting.event for waiting in box.waiting()] == [second]
    assert len(box) == 1


def test_the_same_event_is_kept_once(tmp_path: Path) -> None:
    box, one = Outbox(tmp_path / "box.db"), event()
    box.add(one, 1.0)
    send(box, [one], next_at=50.0)
    box.add(one, 2.0)
    (kept,) = box.waiting()
    assert (kept.stored_at, kept.attempts) == (1.0, 1)


def filled(box: Outbox, count: int, now: float = 0.0) -> list[CaptureEvent]:
    """Events of the pockets 1 to `count`, stored at `now`."""
    events = [event(pocket) for pocket in range(1, count + 1)]
    for one in events:
        box.add(one, now)
    return events


def test_what_never_left_is_due_at_once_and_in_order(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    first, *_ = filled(box, 3, now=1.0)
    send(box, [first], next_at=10.0)
    assert pockets_due(box, 1.0) == [2, 3]
    assert pockets_due(box, 1.0, limit=1) == [2]
    assert box.next_due() == 1.0


def test_only_the_last_that_was_sent_is_due_again_by_itself(tmp_path: Path) -> None:
    """It alone asks whether the line is there; the others wait for an answer to something later, however long."""
    box = Outbox(tmp_path / "box.db")
    events = filled(box, 5)
    send(box, events[:2], events[2:], next_at=10.0)
    assert box.next_due() == 10.0
    assert pockets_due(box, 9.9) == []
    assert pockets_due(box, 10.0) == [5]
    send(box, [events[4]], next_at=20.0)
    assert pockets_due(box, 19.0) == []
    assert pockets_due(box, 250.0) == [5]


def test_what_later_answers_overtook_is_sent_again_when_it_has_had_time(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    events = filled(box, 4)
    send(box, events[:1], events[1:2], events[2:3], events[3:], next_at=100.0)
    answer(box, events[2], overtaken_at=5.0)
    assert box.next_due() == 5.0
    assert pockets_due(box, 4.9) == []
    assert pockets_due(box, 5.0) == [1, 2]
    answer(box, events[0], overtaken_at=6.0)
    assert pockets_due(box, 5.0) == [2], "it was answered in time"
    send(box, [events[1]], next_at=50.0)
    answer(box, events[3], overtaken_at=9.0)
    assert pockets_due(box, 9.0) == [], "what was sent again comes after all that was sent before"
    assert pockets_due(box, 50.0) == [2], "and it is the last now"


def test_an_answer_overtakes_what_travelled_with_it(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    events = filled(box, 3)
    send(box, events, next_at=100.0)
    answer(box, events[0], overtaken_at=3.0)
    assert pockets_due(box, 3.0) == [2, 3]


def test_an_answer_to_what_was_sent_twice_may_be_to_the_first_of_them(tmp_path: Path) -> None:
    """So it says nothing of what was sent between the two (Karn's algorithm)."""
    box = Outbox(tmp_path / "box.db")
    twice, between, last = filled(box, 3)
    send(box, [twice], [between], next_at=100.0)
    box.make_all_due()
    send(box, [between], [twice], [last], next_at=100.0)
    answer(box, twice, overtaken_at=3.0)
    assert pockets_due(box, 99.0) == []
    answer(box, last, overtaken_at=4.0)
    assert pockets_due(box, 4.0) == [2]


def test_the_answer_to_the_last_says_that_all_else_is_overtaken_however_often_it_was_sent(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    events = filled(box, 3)
    send(box, events, next_at=10.0)
    send(box, [events[2]], next_at=20.0)
    send(box, [events[2]], next_at=40.0)
    answer(box, events[2], overtaken_at=23.0)
    assert pockets_due(box, 23.0) == [1, 2]


def test_nothing_that_was_sent_can_wait_for_ever(tmp_path: Path) -> None:
    """Whatever is answered, in whatever order: something is due in the end, until nothing waits."""
    chance = random.Random(7)  # noqa: S311
    box = Outbox(tmp_path / "box.db")
    now, handed_in = 0.0, 0
    while handed_in < 300 or len(box):
        now += 1.0
        if handed_in < 300:
            handed_in += 1
            box.add(event(1 + handed_in % 999), now)
        due = [waiting.event for waiting in box.due(now, LAST_RESEND, limit=chance.randrange(1, 9))]
        if due:
            send(box, due, next_at=now + 20.0)
        waiting = [entry.event for entry in box.waiting() if entry.attempts]
        if waiting and chance.random() < 0.3:
            answer(box, *chance.sample(waiting, 1), overtaken_at=now + 3.0)
        next_due = box.next_due()
        assert not waiting or not len(box) or (next_due is not None and next_due <= now + 20.0)
        assert now < 100_000


def test_answers_take_as_long_as_the_last_and_as_what_is_awaited_longest(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    events = filled(box, 3, now=100.0)
    assert box.answers_take(150.0) == 0.0, "nothing was sent"
    send(box, events[:1], events[1:2], next_at=NOW)
    assert box.answers_take(150.0) == 50.0
    answer(box, events[0], now=140.0, overtaken_at=NOW)
    assert box.answers_take(110.0) == 40.0, "as that which came last"
    assert box.answers_take(150.0) == 50.0, "as what is awaited"
    box.make_all_due()
    assert box.answers_take(150.0) == 40.0, "what was overtaken is awaited no longer"
    late = event(4)
    box.add(late, 200.0)
    send(box, [late], next_at=NOW)
    answer(box, late, now=201.0, overtaken_at=NOW)
    assert box.answers_take(300.0) == 1.0


def test_the_last_can_be_tried_at_once(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    events = filled(box, 3)
    send(box, events[:1], events[1:], next_at=NOW + 200.0)
    box.make_last_due(note=("hurried", "now"))
    assert pockets_due(box, NOW) == [3]
    assert box.note("hurried") == "now"


@pytest.mark.parametrize("state", ["unsent", "sent", "overtaken"])
def test_looking_for_what_is_due_takes_no_look_at_all_that_waits(tmp_path: Path, state: str) -> None:
    box = Outbox(tmp_path / "box.db")
    events = filled(box, 20)
    if state != "unsent":
        send(box, *[[one] for one in events], next_at=100.0)
    if state == "overtaken":
        box.make_all_due()
    looked_at: list[str] = []
    with box._file.reading() as connection:
        connection.set_trace_callback(looked_at.append)
    box.due(1.0, LAST_RESEND, limit=5)
    box.next_due()
    box.answers_take(1.0)
    box.sent([[str(events[0].capture_id)]], 100.0)
    answer(box, events[0], overtaken_at=3.0)
    with box._file.reading() as connection:
        connection.set_trace_callback(None)
        searching = [text for text in looked_at if text.startswith(("SELECT", "UPDATE", "DELETE"))]
        assert len(searching) >= 5
        for statement in searching:
            steps = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert not [step for step in steps if step == "SCAN waiting"], (statement, steps)


TEN_HOURS = 10 * 3600.0
DAY_IN_2099 = 4_070_908_800.0
NOW = 1_800_000_000.0


@pytest.mark.parametrize("was", [NOW + TEN_HOURS, NOW - TEN_HOURS, 0.0, DAY_IN_2099])
def test_a_clock_that_is_set_keeps_nothing_waiting(tmp_path: Path, was: float) -> None:
    """Whatever the clock was when an event was stored or sent, it goes out now, once."""
    box, stored, sent = Outbox(tmp_path / "box.db"), event(1), event(2)
    box.add(sent, was)
    send(box, [sent], next_at=was + LAST_RESEND)
    assert [waiting.event for waiting in box.due(NOW, LAST_RESEND)] == [sent]
    box.add(stored, was)
    assert [waiting.event for waiting in box.due(NOW, LAST_RESEND)] == [stored], "its answer will tell of the other"
    send(box, [stored], next_at=NOW + LAST_RESEND)
    assert pockets_due(box, NOW) == pockets_due(box, NOW - 1) == [], "a clock that goes back a little makes no storm"
    answer(box, stored, overtaken_at=was + 3.0)
    assert [waiting.event for waiting in box.due(NOW + 5, LAST_RESEND)] == [sent]


def test_events_leave_in_the_order_in_which_they_came_whatever_the_clock_was(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    for pocket, now in enumerate((NOW + TEN_HOURS, NOW, 0.0, DAY_IN_2099, NOW + 1), 1):
        box.add(event(pocket), now)
    assert [waiting.event.pocket for waiting in box.due(NOW, LAST_RESEND)] == [1, 2, 3, 4, 5]
    assert [waiting.event.pocket for waiting in box.waiting()] == [1, 2, 3, 4, 5]


def test_everything_can_be_tried_at_once(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    events = filled(box, 2)
    send(box, events[:1], events[1:], next_at=NOW + 200.0)
    assert pockets_due(box, NOW) == []
    box.make_all_due()
    assert pockets_due(box, NOW) == [1, 2]


OLD = """CREATE TABLE waiting (capture_id TEXT PRIMARY KEY, event TEXT NOT NULL, stored_at REAL NOT NULL,
attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, problem TEXT{number}) WITHOUT ROWID;
CREATE INDEX waiting_next_at ON waiting (next_at);"""


@pytest.mark.parametrize("number", ["", ", number INTEGER NOT NULL DEFAULT 0"], ids=["without numbers", "with numbers"])
def test_an_outbox_of_an_earlier_version_keeps_its_order_and_its_times(tmp_path: Path, number: str) -> None:
    first, second, sent = event(1), event(2), event(3)
    old = sqlite3.connect(tmp_path / "box.db")
    old.executescript(OLD.format(number=number))
    for place, (one, attempts, next_at) in enumerate([(second, 0, 2.0), (first, 0, 1.0), (sent, 3, NOW + 40.0)]):
        old.execute(
            "INSERT INTO waiting (capture_id, event, stored_at, attempts, next_at) VALUES (?, ?, ?, ?, ?)",
            (str(one.capture_id), one.model_dump_json(exclude_none=True), 2.0 - place, attempts, next_at),
        )
        if number:
            old.execute("UPDATE waiting SET number = ? WHERE capture_id = ?", (3 - place, str(one.capture_id)))
    old.commit()
    old.close()
    boxes = [Outbox(tmp_path / "box.db") for _ in range(2)]
    third = event(4)
    boxes[1].add(third, 0.0)
    assert [waiting.event for waiting in boxes[0].due(NOW, LAST_RESEND)] == [first, second, third]
    assert [waiting.event for waiting in boxes[0].due(NOW + 40.0, LAST_RESEND)] == [first, second, third, sent]
    send(boxes[0], [first, second, third], next_at=NOW + 5.0)
    assert boxes[1].next_due() == NOW + 5.0


def test_a_failed_attempt_is_told_and_not_counted(tmp_path: Path) -> None:
    box, one = Outbox(tmp_path / "box.db"), event()
    box.add(one, 1.0)
    box.not_sent([str(one.capture_id)], 5.0, "Redis is away")
    waiting = box.find(str(one.capture_id))
    assert waiting is not None
    assert (waiting.attempts, box.next_due(), waiting.problem) == (0, 5.0, "Redis is away")
    reasons = [replace(waiting, attempts=sent, problem=of).why for sent in (0, 1) for of in ("Redis is away", None)]
    assert reasons == [
        "not sent yet: Redis is away",
        "not sent yet: Redis has not taken it",
        "sent, not answered yet, and not sent again: Redis is away",
        "sent, not answered yet",
    ]


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
    answer(box, kept[0], overtaken_at=0.0)
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
    send(box, [first], next_at=9.0)
    assert box.unsent() == 1
    send(box, [second], next_at=9.0)
    assert box.unsent() == 0
    assert [waiting.problem for waiting in box.waiting()] == [None, None]


def test_several_processes_may_open_a_new_outbox_at_one_moment(tmp_path: Path) -> None:
    forking = multiprocessing.get_context("fork")
    moment = forking.Barrier(6)

    def open_one() -> None:
        moment.wait(60)
        Outbox(tmp_path / "outbox.db").close()

    processes = [forking.Process(target=open_one) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 6


def test_the_highest_id_is_remembered_when_its_event_has_gone(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "outbox.db")
    assert box.note(NEWEST_ID) is None
    events = sorted((event() for _ in range(3)), key=lambda each: each.capture_id)
    for each in (events[0], events[2], events[1]):
        box.add(each, 0.0)
    answer(box, *events, overtaken_at=1.0)
    assert len(box) == 0
    box.close()
    box = Outbox(tmp_path / "outbox.db")
    assert box.note(NEWEST_ID) == str(events[2].capture_id)
    box.close()


def test_an_event_of_a_later_version_stays_and_is_named_with_what_to_do(tmp_path: Path) -> None:
    """A station that was set back to an earlier version; no traceback a second in its log, nothing lost."""
    box = Outbox(tmp_path / "box.db")
    box.add(event(1), 1.0)
    with sqlite3.connect(tmp_path / "box.db") as later:
        later.execute("UPDATE waiting SET event = json_set(event, '$.schema_version', 99)")
    later.close()
    for asked in (box.waiting, lambda: box.due(2.0, LAST_RESEND)):
        with pytest.raises(sqlite3.DataError, match=r"box\.db cannot be read.* \(schema_version: .*a later version"):
            asked()
    assert len(box) == 1
    box.close()


def test_a_process_that_writes_all_the_time_is_said_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producer.files.sqlite_file._WAIT", 0.4)
    monkeypatch.setattr("producer.files.sqlite_file._SAY_AFTER", 0.1)
    box = Outbox(tmp_path / "box.db")
    other = sqlite3.connect(tmp_path / "box.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for writes in (lambda: box.add(event(1), 1.0), lambda: Outbox(tmp_path / "box.db")):
        with capture_logs() as said, pytest.raises(sqlite3.OperationalError, match="another process has been writing"):
            writes()
        assert [(entry["log_level"], entry["file"]) for entry in said] == [
            ("warning", f"the outbox {tmp_path / 'box.db'}")
        ]
    other.execute("ROLLBACK")
    other.close()
    box.add(event(1), 1.0)
    assert len(box) == 1
    box.close()
