"""The heads that have variables."""

from __future__ import annotations

from producer.connect.opcua.head_variables import MOST_HEADS, of_newest_heads
from producer.contract.plant_event import plant_event
from tests.integration.plant import check, verdict


def test_of_too_many_heads_those_that_were_told_last_have_variables() -> None:
    used = [plant_event("p", "s", answer, 0.0) for answer in (verdict(1), check())]
    former = [plant_event("p", "s", check(head=f"former-{number}"), 0.0) for number in range(MOST_HEADS)]
    shown = [*enumerate([used[0], *former, used[1]])]
    assert of_newest_heads(shown) == [shown[0], *shown[2:]]
    assert of_newest_heads(shown[:3]) == shown[:3]
