from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from producer.contract.event import CaptureEvent
from producer.delivery.outbox import Outbox, Waiting
from producer.delivery.outbox_sender import SEND_BATCH, send_due
from producer.delivery.resend import HELD, LAST_RESEND
from tests.support import message


def test_what_is_alone_is_sent_again_soon_and_ever_more_rarely(tmp_path: Path) -> None:
    box, sent_at, times = Outbox(tmp_path / "box.db"), [], [0.0]
    box.add(CaptureEvent.from_message(message()), 0.0)
    while times[-1] < 2000.0:
        send_due(box, 8, lambda _: sent_at.append(times[-1]), clock=lambda: times[-1])
        times.append(box.next_due() or 0.0)
    assert sent_at[:5] == [0.0, 5.0, 25.0, 125.0, 425.0]
    assert {later - one for one, later in pairwise(sent_at[4:])} == {LAST_RESEND}


def test_what_cannot_be_sent_is_noted_and_what_was_sent_before_it_too(tmp_path: Path) -> None:
    box, messages = Outbox(tmp_path / "box.db"), []
    for pocket in range(1, 31):
        box.add(CaptureEvent.from_message(message(pocket=pocket)), 0.0)

    def send(entries: object) -> str | None:
        messages.append(entries)
        return "Redis is away" if len(messages) == 3 else None

    assert send_due(box, 8, send) == (2, "Redis is away")
    attempts = [(entry.attempts, entry.problem) for entry in box.waiting()]
    assert attempts == [(1, None)] * 15 + [(0, "Redis is away")] * 7 + [(0, None)] * 8
    assert send_due(box, 8, lambda _: None, stopped=lambda: True) == (0, None)


def test_what_is_to_leave_whole_does_so_behind_any_number_of_others(tmp_path: Path) -> None:
    box, messages = Outbox(tmp_path / "box.db"), []
    others = [CaptureEvent.from_message(message(pocket=pocket)) for pocket in range(1, SEND_BATCH - 5)]
    head = [CaptureEvent.from_message(message(pocket=pocket, check_size=12)) for pocket in range(1, 13)]
    check = head[0].check_id
    head = [event.model_copy(update={"check_id": check}) for event in head]
    for event in others:
        box.add(event, 0.0)
    with box.together():
        for event in head:
            box.add(event, 0.0)
    for pocket in range(1, SEND_BATCH):
        box.add(CaptureEvent.from_message(message(pocket=pocket)), 0.0)

    def send(entries: Sequence[Waiting]) -> str | None:
        messages.append([waiting.event for waiting in entries])
        return None

    whole = {event.capture_id for event in head}
    while send_due(box, 8, send, clock=lambda: 0.0)[0]:
        pass
    assert [events for events in messages if whole & {event.capture_id for event in events}] == [head]
    assert sum(map(len, messages)) == len(others) + len(head) + SEND_BATCH - 1


def test_what_is_handed_in_together_is_held_by_every_process_and_not_for_ever(tmp_path: Path) -> None:
    box, of_another_process = Outbox(tmp_path / "box.db"), Outbox(tmp_path / "box.db")
    event = CaptureEvent.from_message(message())
    with box.together():
        box.add(event, 1000.0)
        assert of_another_process.due(1000.0 + HELD - 1, LAST_RESEND) == []
        assert of_another_process.next_due() == 1000.0 + HELD
        [whole] = of_another_process.due(1000.0 + HELD, LAST_RESEND)  # that one has died
        assert whole.together
        assert of_another_process.due(0.0, LAST_RESEND) == [whole], "by a clock that was set back"
    assert of_another_process.due(1000.0, LAST_RESEND) == [whole]


@pytest.mark.parametrize("is_last", [True, False])
def test_what_left_together_is_sent_again_together(tmp_path: Path, is_last: bool) -> None:
    """Redis lost the message. In pieces, its check would be a go of some of these photographs and of earlier ones."""
    box, sent = Outbox(tmp_path / "box.db"), []
    head = [CaptureEvent.from_message(message(pocket=pocket, check_size=24)) for pocket in range(1, 25)]
    head = [event.model_copy(update={"check_id": head[0].check_id}) for event in head]
    other = CaptureEvent.from_message(message())
    with box.together():
        for event in head:
            box.add(event, 0.0)

    def send(now: float) -> list[list[CaptureEvent]]:
        sent.clear()
        send_due(box, 8, lambda entries: sent.append([waiting.event for waiting in entries]), clock=lambda: now)
        return sent

    assert send(0.0) == [head]
    if not is_last:
        box.add(other, 1.0)
        assert send(1.0) == [[other]]
        box.confirm([str(other.capture_id)], 2.0, 5.0)
    assert send(4.0) == []
    assert send(5.0) == [head]
    assert send(9.0) == []
    assert send(30.0) == [head]
    box.make_all_due()
    assert send(31.0) == [head]


def test_what_a_process_that_died_has_held_leaves_with_what_is_handed_in_again(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.db")
    first, second = (CaptureEvent.from_message(message(pocket=pocket, check_size=2)) for pocket in (1, 2))
    second = second.model_copy(update={"check_id": first.check_id})
    held = box.together()
    held.__enter__()
    box.add(first, 1000.0)
    restarted = Outbox(tmp_path / "box.db")
    with restarted.together():
        restarted.add(second, 1010.0)
    assert [waiting.event for waiting in restarted.due(1010.0, LAST_RESEND)] == [first, second]
