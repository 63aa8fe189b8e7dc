"""Node sets that look like one and that no server can start with."""

from __future__ import annotations

import asyncio

import pytest

from producer.connect.opcua.node_sets import checked_node_set
from producer.connect.opcua.standard_types import try_out
from tests.unit.producer.connect.opcua.test_node_sets import GOOD


@pytest.mark.parametrize(
    "data", [GOOD.encode(), GOOD.replace('"utf-8"', '"utf-16"').encode("utf-16")], ids=["lacks", "utf-16"]
)
def test_a_node_set_is_tried_out_before_it_takes_the_place_of_another(data: bytes) -> None:
    with pytest.raises(ValueError, match="MachineVision cannot be used: "):
        asyncio.run(try_out(checked_node_set(data)))
