from collections import Counter
from itertools import islice
from uuid import UUID

import pytest

from benchmarks import history
from benchmarks.history import seen
from benchmarks.records import JudgedCapture


@pytest.fixture(scope="module")
def captures():
    return list(islice(seen(seed=3), 30_000))


def test_the_same_seed_gives_the_same_history_and_another_seed_another():
    assert list(islice(seen(1), 100)) == list(islice(seen(1), 100))
    assert list(islice(seen(1), 100)) != list(islice(seen(2), 100))


def test_ids_are_uuids_of_version_7_in_the_order_of_time(captures):
    ids = [each.capture_id for each in captures]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert {(UUID(each).version, UUID(each).variant) for each in ids[:1000]} == {(7, "specified in RFC 4122")}
    assert [each.captured_at for each in captures] == sorted(each.captured_at for each in captures)


def test_a_check_sees_every_pocket_of_one_head_once(captures):
    last = captures[-1].check_id
    checks: dict[str, list[JudgedCapture]] = {}
    for each in captures:
        checks.setdefault(each.check_id, []).append(each)
    assert len(checks) > 1000
    del checks[last]
    for sights in checks.values():
        size = sights[0].check_size
        assert [each.pocket for each in sights] == list(range(1, size + 1))
        assert size in history.POCKETS
        assert len({(each.station, each.machine, each.head, each.operation, each.check_began) for each in sights}) == 1


def test_the_plant_has_the_size_it_says(captures):
    assert {each.machine for each in captures} == {f"mill-{number}" for number in range(1, history.MACHINES + 1)}
    assert {each.station for each in captures} == {f"station-{number}" for number in range(1, 6)}
    heads = {each.head: each for each in captures}
    assert len(heads) > 0.8 * history.MACHINES * history.HEADS
    assert sum(each.check_size for each in heads.values()) / len(heads) == pytest.approx(24.3, abs=1)


def test_edges_wear_are_judged_damaged_and_are_changed(captures):
    before: dict[tuple[str, str, int], JudgedCapture] = {}
    changed = 0
    for each in captures:
        place = each.machine, each.head, each.pocket
        last = before.get(place)
        if last is not None and last.outcome == "damaged":
            assert (each.edge, each.operations_on_edge) == (last.edge % history.EDGES + 1, 0)
            changed += 1
        elif last is not None:
            assert (each.edge, each.operations_on_edge) == (last.edge, last.operations_on_edge + 1)
        before[place] = each
    assert changed > 100
    shares = {outcome: count / len(captures) for outcome, count in Counter(each.outcome for each in captures).items()}
    assert shares.keys() == {"intact", "damaged", "unsure", "unusable"}
    assert shares["damaged"] == pytest.approx(1 / 41, rel=0.2)
    assert shares["unsure"] == pytest.approx(history.UNSURE, rel=0.3)
    assert all((each.decision is None) == (each.outcome == "unusable") for each in captures)
    assert all(each.decision > 0 for each in captures if each.outcome == "damaged")


@pytest.mark.parametrize("arguments", [["--verdicts", "0", "sqlite:///x"], []])
def test_the_command_refuses_what_it_cannot_do(arguments, capsys):
    with pytest.raises(SystemExit) as exit_code:
        history.main(arguments)
    assert exit_code.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_the_command_says_what_is_wrong_with_a_url_in_one_line(capsys):
    assert history.main(["mysql://host/name", "--verdicts", "1"]) == 1
    assert capsys.readouterr().err.startswith("history: databases are sqlite:///FILE")
