"""Histories of a head that were wrong once: they are right, and are seen to be wrong where their mend is taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.integration.db.head_histories.stations import How
from tests.integration.db.test_head_histories import History

Steps = Sequence[tuple[str, dict[str, Any]]]

GOOD = ("good", {})
IS_TOLD = {
    "the first photograph says another head": [GOOD, ("whole", {"how": How(at=1, flaw="other head")})],
    "one in the middle does, and the check waits": [
        GOOD,
        ("missed", {"missed": {4}, "how": How(at=3, flaw="other head"), "gives_up": False}),
        ("single", {"pocket": 4}),
    ],
    "one cannot be judged, and another is awaited": [
        GOOD,
        ("missed", {"missed": {4}, "how": How(at=2, flaw="fault"), "gives_up": False}),
    ],
    "one cannot be judged, and another is not judged yet": [
        GOOD,
        ("whole", {"how": How(at=2, flaw="fault", fate="worker dies", fate_at=3, one_by_one=True)}),
    ],
    "a smaller check is a go while the first of all pockets waits": [
        ("missed", {"missed": {4}, "how": How(fate="lost", fate_at=3, one_by_one=True), "gives_up": False}),
        ("partial", {"size": 3}),
    ],
}


def run(steps: Steps) -> None:
    state = History()
    try:
        state.begins()
        for name, arguments in steps:
            getattr(state, name)(**arguments)
    finally:
        state.teardown()


@pytest.mark.parametrize("steps", [pytest.param(steps, id=name) for name, steps in IS_TOLD.items()])
def test_what_a_check_knows_and_no_answer_says_is_told(monkeypatch: pytest.MonkeyPatch, steps: Steps) -> None:
    run(steps)
    monkeypatch.setattr("db.line.holds.of_checks", lambda *_: [])
    with pytest.raises(AssertionError, match=r"(systems are shown no|nothing is a) go while"):
        run(steps)


def test_photographs_are_put_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [("missed_while_lost", {"pocket": 3, "clock": 30})]
    run(steps)
    monkeypatch.setattr("db.line.captures.put_in_order", lambda *_: {})
    with pytest.raises(AssertionError, match="the board shows no GO unless"):
        run(steps)
