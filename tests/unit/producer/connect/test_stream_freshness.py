"""What the line says is known for some seconds only."""

from __future__ import annotations

import pytest

from producer.connect import stream_freshness
from producer.connect.stream_freshness import UNREAD, VOUCHED_FOR, StreamFreshness


def test_what_was_heard_holds_for_some_seconds_though_nobody_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(stream_freshness, "now", lambda: clock)
    heard = StreamFreshness()
    assert heard.spell is None
    heard.heard(clock)
    clock += VOUCHED_FOR
    assert heard.spell == 1
    heard.heard(clock)
    assert heard.spell == 1, "without a break it is one spell"
    clock += VOUCHED_FOR + 0.1  # the process was held, or its disk does not answer
    assert heard.spell is None
    heard.heard(clock - VOUCHED_FOR - 0.1)  # what was read before that says nothing of now
    assert heard.spell is None
    heard.heard(clock)
    assert heard.spell is not None
    assert heard.spell != 1, "what was shown in the spell before may be overtaken"
    assert heard.problem == UNREAD
    heard.ends("no worker looks")
    assert (heard.spell, heard.problem) == (None, "no worker looks")
    heard.heard(clock)
    assert heard.problem == UNREAD
