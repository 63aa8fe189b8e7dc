import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from producer.simulation.head import DOUBTFUL_MM, SimulatedHead, labelled_images, write_labelled_folder


def damaged(head: SimulatedHead) -> int:
    return sum(head.truth(pocket) != "intact" for pocket in head.pockets)


def test_new_heads_are_intact_and_wear_from_check_to_check() -> None:
    counts = []
    for seed in range(20):
        head = SimulatedHead(seed=seed)
        assert damaged(head) == 0
        for _ in range(3):
            head.operate()
            counts.append(damaged(head))
    first, second, third = np.reshape(counts, (20, 3)).T
    assert np.median(first) <= 2
    assert 1 <= np.median(second) <= 8
    assert np.median(second) < np.median(third) <= 20
    assert np.all(first <= second)
    assert np.all(second <= third)


def test_a_seed_names_a_head_and_all_its_photographs() -> None:
    one, same, other = (SimulatedHead(4, seed=seed, size=96) for seed in (7, 7, 8))
    for head in (one, same, other):
        head.operate()
    assert one.photograph(2) == same.photograph(2)
    assert one.photograph(2) != one.photograph(2)  # the next look is never quite the same
    assert one.photograph(1) != other.photograph(1)


def test_a_photograph_is_a_jpeg_with_its_truth() -> None:
    head = SimulatedHead(2, size=96)
    image, truth = head.photograph(1)
    opened = Image.open(io.BytesIO(image))
    assert (opened.format, opened.size, opened.mode) == ("JPEG", (96, 96), "RGB")
    assert truth == head.truth(1) == "intact"


def test_inserts_of_a_head_come_out_of_one_box() -> None:
    head = SimulatedHead(5, seed=2)
    inserts = [head.edge(pocket).insert for pocket in head.pockets]
    assert len({(insert.shape, insert.coating, insert.corner_radius) for insert in inserts}) == 1
    assert len({insert.texture for insert in inserts}) == 5


def test_replacing_gives_a_new_insert_in_that_pocket_only() -> None:
    head = SimulatedHead(3, seed=1, wear_per_operation=0.5)
    for _ in range(3):
        head.operate()
    others = [head.edge(1), head.edge(3)]
    head.replace(2)
    assert (head.truth(2), head.operations_on_edge(2)) == ("intact", 0)
    assert [head.edge(1), head.edge(3)] == others
    assert head.operations_on_edge(1) == 3


def test_no_edge_lies_in_the_doubtful_range() -> None:
    low, high = DOUBTFUL_MM
    head = SimulatedHead(60, seed=3)
    for _ in range(8):
        head.operate()
        wear = [head.edge(pocket).condition.flank_wear for pocket in head.pockets]
        assert not [width for width in wear if low < width < high]


def test_damage_never_heals() -> None:
    head = SimulatedHead(40, seed=4)
    before = [head.edge(pocket).condition for pocket in head.pockets]
    for _ in range(6):
        head.operate()
        after = [head.edge(pocket).condition for pocket in head.pockets]
        for was, now in zip(before, after, strict=True):
            assert now.flank_wear >= was.flank_wear
            assert now.chipping >= was.chipping
            assert now.break_size >= was.break_size
        before = after


def test_unknown_pockets_and_empty_heads_are_refused() -> None:
    with pytest.raises(KeyError):
        SimulatedHead(3).photograph(4)
    with pytest.raises(ValueError, match="at least one pocket"):
        SimulatedHead(0)


def test_labelled_images_are_half_damaged_and_repeatable() -> None:
    images = list(labelled_images(8, seed=5, size=64))
    assert [label for _, label in images] == ["intact", "worn", "intact", "broken"] * 2
    assert images == list(labelled_images(8, seed=5, size=64))
    assert images != list(labelled_images(8, seed=6, size=64))
    assert images != list(labelled_images(8, seed=5, size=64, head=1))


def test_labelled_folder_has_one_sub_folder_per_label(tmp_path: Path) -> None:
    write_labelled_folder(tmp_path / "set", 6, seed=1, size=64)
    found = {folder.name: len(list(folder.glob("*.jpg"))) for folder in (tmp_path / "set").iterdir()}
    assert found == {"intact": 3, "worn": 2, "broken": 1}
