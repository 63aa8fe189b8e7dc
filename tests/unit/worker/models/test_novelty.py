from __future__ import annotations

import h5py
import numpy as np
import pytest

from producer.contract.reasons.models import UNLIKE
from worker.models import novelty
from worker.models.linear_svm import ClassifierError
from worker.models.novelty import LEVEL, MOST_COLUMNS, MOST_KEPT, NEIGHBOURS, Novelty, _of_length_one, learnt_novelty

COLUMNS = 60


def photographs(count: int, kind: int = 0, columns: int = COLUMNS, seed: int = 0) -> np.ndarray:
    """Features of photographs of one kind: a pattern of its own, and what differs from each to the next."""
    pattern = np.random.default_rng([kind, 99]).uniform(0, 2, columns)
    return (pattern + np.random.default_rng([seed, kind, 7]).normal(0, 0.2, (count, columns))).astype(np.float32)


def inserts(count: int, each: int = 2) -> np.ndarray:
    return np.arange(count) // each


def learnt(count: int = 400, columns: int = COLUMNS) -> Novelty:
    novelty = learnt_novelty(photographs(count, columns=columns), inserts(count))
    assert novelty is not None
    return novelty


@pytest.mark.parametrize("columns", [COLUMNS, MOST_COLUMNS * 5 + 3])
def test_about_one_in_a_hundred_like_the_learnt_ones_is_novel_and_every_other_kind(columns: int) -> None:
    novelty = learnt(columns=columns)
    alike = [reason is not None for reason in novelty.reasons(photographs(1000, columns=columns, seed=1))]
    assert 0 < np.mean(alike) < 0.025
    others = novelty.reasons(photographs(100, kind=1, columns=columns))
    assert all(str(reason).startswith(UNLIKE.beginning) for reason in others)


def test_the_reason_names_the_distance_and_its_limit() -> None:
    novelty = learnt()
    new = photographs(1, kind=1)
    (reason,) = novelty.reasons(new)
    assert f"{novelty.distances_of(new)[0]:.3f}" in str(reason)
    assert f"{novelty.limit:.3f}" in str(reason)


def test_brightness_alone_is_nothing_new() -> None:
    novelty = learnt()
    new = photographs(1, seed=2)
    assert novelty.distances_of(3 * new) == pytest.approx(novelty.distances_of(new), abs=1e-6)


def test_nothing_at_all_is_novel() -> None:
    nothing = np.zeros((1, COLUMNS), np.float32)
    assert learnt().distances_of(nothing) == 1
    assert learnt().reasons(nothing) != [None]


def test_distances_are_the_mean_over_the_nearest() -> None:
    rows, groups = photographs(30), inserts(30)
    novelty = learnt_novelty(rows, groups)
    assert novelty is not None
    (new,) = photographs(1, seed=3)
    lengths = np.linalg.norm(rows, axis=1)
    cosines = rows @ new / lengths / np.linalg.norm(new)
    assert novelty.distances_of(new[None])[0] == pytest.approx(np.sort(1 - cosines)[:NEIGHBOURS].mean(), abs=1e-5)
    between = 1 - rows @ rows.T / np.outer(lengths, lengths)
    expected = [np.sort(between[row][groups != groups[row]])[:NEIGHBOURS].mean() for row in range(30)]
    assert novelty.distances == pytest.approx(np.sort(expected), abs=1e-5)


@pytest.mark.parametrize("columns", [COLUMNS, MOST_COLUMNS - 48, MOST_COLUMNS * 3 + 1])
def test_what_is_held_against_the_learnt_ones_together_is_as_far_as_by_itself(columns: int) -> None:
    """To the last bit: what a message's other photographs are says nothing."""
    novelty = learnt(MOST_KEPT, columns)
    new = np.concatenate([photographs(7, columns=columns, seed=8), photographs(1, kind=1, columns=columns)])
    alone = []
    for row in new:
        (folded,) = _of_length_one(row[None], novelty.signs, novelty.learnt.shape[1])
        cosines = novelty.learnt @ folded
        alone.append(float(np.partition(1 - cosines, NEIGHBOURS - 1)[:NEIGHBOURS].mean()))
    assert novelty.distances_of(new).tolist() == alone


def test_an_inserts_own_photographs_do_not_make_it_look_near() -> None:
    """Each is there ten times: what counts is how far one insert is from the others."""
    rows = np.repeat(photographs(40), 10, axis=0)
    novelty = learnt_novelty(rows, inserts(400, each=10))
    assert novelty is not None
    assert novelty.distances[0] > 1e-3
    assert np.mean([reason is not None for reason in novelty.reasons(photographs(500, seed=4))]) < 0.1


@pytest.mark.parametrize(("count", "expected"), [(30, 1 / 31), (99, LEVEL), (400, LEVEL)])
def test_few_learnt_photographs_cannot_promise_one_in_a_hundred(count: int, expected: float) -> None:
    novelty = learnt(count)
    assert novelty.false_alarms == pytest.approx(expected)
    beyond = (novelty.distances > novelty.limit).sum()
    assert beyond == int(expected * (count + 1) + 1e-9) - 1
    assert novelty.limit in novelty.distances


def test_the_limit_is_that_of_the_rank_p_value() -> None:
    novelty = learnt(250)
    for distance in (*novelty.distances[-6:], *(novelty.distances[-6:] + 1e-4)):
        p_value = (1 + (novelty.distances >= distance).sum()) / 251
        assert (distance > novelty.limit) == (p_value <= LEVEL)


@pytest.mark.parametrize("count", [80, 400])
def test_a_few_photographs_of_another_kind_let_no_others_of_it_pass(count: int) -> None:
    """As after the first reviews of a second station: one neighbour of five is not what is usual."""
    few = photographs(2, kind=1)
    rows = np.concatenate([photographs(count), few])
    novelty = learnt_novelty(rows, inserts(len(rows), each=1))
    assert novelty is not None
    assert novelty.limit == pytest.approx(learnt(count).limit, rel=0.05)
    assert None not in novelty.reasons(photographs(50, kind=1, seed=6))


def test_what_is_kept_is_bounded_and_drawn_alike_each_time() -> None:
    rows = photographs(MOST_KEPT + 500)
    one, two = (learnt_novelty(rows, inserts(len(rows)), seed=3) for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.learnt.shape == (MOST_KEPT, COLUMNS)
    np.testing.assert_array_equal(one.learnt, two.learnt)


def test_features_on_disk_are_read_as_those_in_memory(tmp_path) -> None:
    rows = photographs(MOST_KEPT + 10)
    with h5py.File(tmp_path / "features.h5", "w") as file:
        stored = learnt_novelty(file.create_dataset("f", data=rows), inserts(len(rows)))
    assert stored is not None
    np.testing.assert_array_equal(stored.learnt, learnt_novelty(rows, inserts(len(rows))).learnt)  # type: ignore[union-attr]


def test_long_features_are_folded_to_a_bounded_length() -> None:
    columns = MOST_COLUMNS * 40
    novelty = learnt(60, columns)
    assert novelty.learnt.shape == (60, MOST_COLUMNS)
    one, other = photographs(2, columns=columns, seed=5)
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    pair = learnt_novelty(np.stack([one, other]), np.arange(2))
    assert pair is not None
    assert pair.distances[0] == pytest.approx(1 - cosine, abs=0.1)


def test_photographs_that_were_folded_to_fewer_columns_are_held_against_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model of before keeps them as long as it was then."""
    monkeypatch.setattr(novelty, "MOST_COLUMNS", 1_024)
    rows = photographs(30, columns=3_000)
    before = learnt_novelty(rows, inserts(30))
    monkeypatch.undo()
    assert before is not None
    assert before.learnt.shape == (30, 1_024)
    nearest = np.sort(1 - before.learnt @ before.learnt[0])[:5]
    assert before.distances_of(rows[:1])[0] == pytest.approx(float(nearest.mean()))


@pytest.mark.parametrize(
    ("rows", "groups"),
    [(photographs(20), np.zeros(20, np.int64)), (np.ones((20, 4), np.float32), inserts(20))],
    ids=["one insert", "all the same"],
)
def test_what_cannot_tell_is_nothing(rows: np.ndarray, groups: np.ndarray) -> None:
    assert learnt_novelty(rows, groups) is None


def test_other_features_are_refused() -> None:
    for columns in (COLUMNS, MOST_COLUMNS * 2):
        with pytest.raises(ClassifierError, match="novelty is for"):
            learnt(60, columns).distances_of(np.ones((1, 7), np.float32))


@pytest.mark.parametrize(
    ("rows", "distances"),
    [(np.ones((3, 2), np.float32), np.ones(2)), (np.full((2, 2), np.nan, np.float32), np.ones(2))],
)
def test_arrays_that_do_not_belong_together_are_refused(rows: np.ndarray, distances: np.ndarray) -> None:
    with pytest.raises(ClassifierError):
        Novelty(rows, distances)
