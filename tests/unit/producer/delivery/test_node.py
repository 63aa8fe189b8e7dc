import uuid
from pathlib import Path

import pytest

from producer.delivery.node import node_of
from producer.delivery.outbox import Outbox

HERE, ELSEWHERE, MADE_UP, ANOTHER_MADE_UP = 0x0242AC110002, 0x0242AC110003, 0x0342AC110002, 0x0342AC110003


def node_at(path: Path, address: int, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(uuid, "getnode", lambda: address)
    outbox = Outbox(path)
    try:
        return node_of(outbox)
    finally:
        outbox.close()


def test_an_outbox_has_a_node_that_another_or_its_copy_elsewhere_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = node_at(tmp_path / "a.db", HERE, monkeypatch)
    assert node_at(tmp_path / "a.db", HERE, monkeypatch) == node
    assert node_at(tmp_path / "a.db", ELSEWHERE, monkeypatch) != node
    assert node_at(tmp_path / "b.db", HERE, monkeypatch) != node


def test_where_there_is_no_network_every_process_has_the_same_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = {node_at(tmp_path / "a.db", address, monkeypatch) for address in (MADE_UP, ANOTHER_MADE_UP)}
    assert len(nodes) == 1
