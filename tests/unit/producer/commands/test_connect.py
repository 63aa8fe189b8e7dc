from __future__ import annotations

from typing import get_args, get_type_hints

from producer.commands.connect import deliveries
from producer.connect.deliveries.delivery_log import State


def test_deliveries_can_be_listed_by_each_state_of_the_log() -> None:
    option, _ = get_args(get_type_hints(deliveries)["state"])
    assert [word.replace("-", " ") for word in get_args(option)] == [*get_args(State)]
