from pathlib import Path

import pytest

from benchmarks import bare_judging
from benchmarks.networks import network
from tests.network_support import BACKBONE
from tests.support import photograph


def test_processes_share_the_work_and_tell_what_it_took(networks: Path) -> None:
    with bare_judging.processes(BACKBONE, [photograph(), photograph(seed=1)], 2, networks) as processes:
        work = processes.work(5)
    assert processes.processes == 2
    assert 1 < work.per_second < 10_000
    assert 1 / 10_000 < work.processor_seconds < 5


def test_one_by_one_each_photograph_has_its_time(networks: Path) -> None:
    seconds = bare_judging.one_by_one_seconds(network(BACKBONE, networks), [photograph()] * 3)
    assert len(seconds) == 3
    assert min(seconds) > 0


def test_a_network_that_is_kept_is_not_built_again(networks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network.cache_clear()
    assert network(BACKBONE, networks).digest == network(BACKBONE, networks).digest
    assert "building" not in capsys.readouterr().out
