from datetime import UTC, datetime, timedelta
from itertools import combinations, count
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from db.line.insert_lives import PocketPhoto, insert_keys
from producer.contract.names import IMPORTED

_numbers = count(1)


def seen(**told: object) -> PocketPhoto:
    """A photo of the same pocket as all others, of which nothing is told but this."""
    nothing: dict[str, object] = {"insert_designation": None, "edge": None, "operations_on_edge": None, "outcome": None}
    place = {"machine": "mill-1", "head": "h", "pocket": 3}
    return PocketPhoto(capture_id=UUID(int=next(_numbers)), **(place | nothing | told))


def groups(*photos: PocketPhoto) -> list[int]:
    """The lives as numbers, in the order in which they first occur."""
    found = [key for _, key in insert_keys(photos)]
    names = list(dict.fromkeys(found))
    return [names.index(key) for key in found]


def test_one_insert_has_one_life_named_after_its_first_photograph() -> None:
    first, second = seen(), seen()
    expected = f"mill-1/h/3/{first.capture_id}"
    assert list(insert_keys([first, second])) == [(first.capture_id, expected), (second.capture_id, expected)]
    assert list(insert_keys([])) == []


def test_each_pocket_has_lives_of_its_own() -> None:
    assert groups(seen(pocket=1), seen(pocket=2), seen(head="i", pocket=2), seen(machine="m", head="i", pocket=2)) == [
        *range(4)
    ]


def test_fewer_operations_on_the_edge_are_a_new_life() -> None:
    assert groups(*(seen(operations_on_edge=n) for n in (3, 4, 4, 9, 0, 1, 1, 0))) == [0, 0, 0, 0, 1, 1, 1, 2]
    assert groups(seen(operations_on_edge=5), seen(), seen(operations_on_edge=4)) == [0, 0, 1], (
        "across what is not told"
    )


def test_another_edge_or_another_insert_is_a_new_life() -> None:
    assert groups(*(seen(edge=n) for n in (1, 1, None, 2, 1))) == [0, 0, 0, 1, 2]
    assert groups(*(seen(insert_designation=name) for name in ("A", None, "A", "B"))) == [0, 0, 0, 1]
    same = ("SNMG 120408-PM", "SNMG120408 PM", "snmg120408pm", "SNMG120412-PM")
    assert groups(*(seen(insert_designation=name) for name in same)) == [0, 0, 0, 1]
    assert groups(seen(edge=1, operations_on_edge=5), seen(edge=2, operations_on_edge=6)) == [0, 1]


def test_an_intact_insert_after_a_damaged_one_is_a_new_life() -> None:
    outcomes = ("intact", "damaged", "damaged", "intact", "unsure", "damaged", "unsure", None, "unusable", "intact")
    assert groups(*(seen(outcome=outcome) for outcome in outcomes)) == [0, 0, 0, 1, 1, 1, 1, 1, 1, 2]


def test_an_insert_whose_operations_go_on_is_the_same_whatever_a_model_says() -> None:
    told = (("damaged", 7), ("intact", 8), ("intact", 8))
    assert groups(*(seen(outcome=outcome, operations_on_edge=n) for outcome, n in told)) == [0, 0, 0]


def test_a_person_who_changed_the_insert_knows_better_than_the_line() -> None:
    first, second = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    changed = (None, None, first, first, second)
    counted = (1, 2, 3, 4, 5)
    assert groups(
        *(seen(insert_changed_at=at, operations_on_edge=n) for at, n in zip(changed, counted, strict=True))
    ) == [0, 0, 1, 1, 2]
    # Nor is what was known of the insert before held against the new one.
    assert groups(seen(edge=1), seen(edge=2, insert_changed_at=first), seen(edge=2, insert_changed_at=first)) == [
        0,
        1,
        1,
    ]
    assert groups(seen(machine=IMPORTED), seen(machine=IMPORTED, insert_changed_at=first)) == [0, 0]


def test_an_imported_group_is_one_insert() -> None:
    outcomes = ("damaged", "intact", "damaged", "intact")
    assert groups(*(seen(machine=IMPORTED, outcome=outcome) for outcome in outcomes)) == [0, 0, 0, 0]


photos = st.lists(
    st.builds(
        seen,
        pocket=st.integers(1, 2),
        edge=st.none() | st.integers(1, 2),
        operations_on_edge=st.none() | st.integers(0, 3),
        outcome=st.sampled_from([None, "intact", "damaged", "unsure"]),
    ),
    max_size=12,
).map(lambda found: sorted(found, key=lambda each: each.pocket))


@given(photos)
def test_lives_of_a_pocket_follow_each_other_and_what_comes_later_changes_nothing(found) -> None:
    whole = list(insert_keys(found))
    assert [capture_id for capture_id, _ in whole] == [each.capture_id for each in found]
    names = [key for _, key in whole]
    runs = [name for name, before in zip(names, [None, *names], strict=False) if name != before]
    assert len(runs) == len(set(runs)), "a life that has ended does not come back"
    for end in range(len(found)):
        assert list(insert_keys(found[:end])) == whole[:end]


@st.composite
def pockets(draw: st.DrawFn) -> list[PocketPhoto]:
    """One pocket's photos, of a line that tells each thing always or never."""
    told = {name: draw(st.booleans()) for name in ("insert_designation", "edge", "operations_on_edge")}
    found = []
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    for _ in range(draw(st.integers(2, 12))):
        values = {
            "insert_designation": draw(st.sampled_from(["SNMG 120408", "CNMG 120408"])),
            "edge": draw(st.integers(1, 2)),
            "operations_on_edge": draw(st.integers(0, 5)),
        }
        known = {name: value if told[name] else None for name, value in values.items()}
        outcome = draw(st.sampled_from(["intact", "damaged", "unsure", None]))
        moment = moment + timedelta(hours=1) if draw(st.integers(0, 4)) == 0 else moment
        found.append(seen(outcome=outcome, insert_changed_at=moment, **known))
    return found


@given(st.data())
def test_old_sightings_that_were_pruned_never_take_one_labelled_insert_for_two(data: st.DataObject) -> None:
    """They may join two inserts, which measures more strictly; parting one would flatter."""
    every = data.draw(pockets())
    kept = [each for each in every if data.draw(st.booleans())]
    before, after = dict(insert_keys(every)), dict(insert_keys(kept))
    labelled = [each.capture_id for each in kept if each.outcome in ("intact", "damaged")]
    for one, other in combinations(labelled, 2):
        if before[one] == before[other]:
            assert after[one] == after[other]
