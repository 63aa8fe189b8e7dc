import shutil
from pathlib import Path

import pytest

from producer.delivery import node
from producer.delivery.node import node_of
from producer.delivery.outbox import Outbox


@pytest.fixture
def hardware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(node, "HARDWARE", tmp_path / "net")
    return tmp_path / "net"


def plug(hardware: Path, name: str, address: str, kind: str = "0", *, virtual: bool = False) -> None:
    (hardware / name).mkdir(parents=True)
    (hardware / name / "address").write_text(f"{address}\n")
    (hardware / name / "addr_assign_type").write_text(f"{kind}\n")
    if not virtual:
        (hardware / name / "device").mkdir()


def node_at(path: Path) -> int:
    outbox = Outbox(path)
    try:
        return node_of(outbox)
    finally:
        outbox.close()


def test_a_copy_of_an_outbox_and_another_one_have_a_node_of_their_own(tmp_path: Path, hardware: Path) -> None:
    first = node_at(tmp_path / "a.db")
    assert node_at(tmp_path / "a.db") == first
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    assert len({first, node_at(tmp_path / "b.db"), node_at(tmp_path / "c.db")}) == 3
    (tmp_path / "a.db").rename(tmp_path / "moved.db")
    assert node_at(tmp_path / "moved.db") == first


def test_whatever_the_network_does_the_node_stays_and_a_copied_disk_has_another(tmp_path: Path, hardware: Path) -> None:
    plug(hardware, "eth0", "00:00:5e:00:53:01")
    first = node_at(tmp_path / "a.db")
    plug(hardware, "docker0", "02:42:ac:11:00:02", "3", virtual=True)
    plug(hardware, "veth1", "00:00:5e:00:53:09", virtual=True)
    plug(hardware, "dock", "00:00:5e:00:53:00")
    assert node_at(tmp_path / "a.db") == first
    shutil.rmtree(hardware / "eth0")  # the one that came later is known by now
    assert node_at(tmp_path / "a.db") == first
    shutil.rmtree(hardware / "dock")
    plug(hardware, "eth0", "00:00:5e:00:53:02")
    assert node_at(tmp_path / "a.db") != first
