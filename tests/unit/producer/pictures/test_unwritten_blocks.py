from __future__ import annotations

import numpy as np
import pytest

from producer.pictures.patterns import periods
from producer.pictures.unwritten_blocks import BLOCK, has_unwritten_blocks, has_unwritten_end

FIRST, STRIDE = 54, 3390
NOISE = np.random.default_rng(0).integers(0, 256, 300 * BLOCK, dtype=np.uint8)
FILLS = [b"\0", b"\xff", b"EMPTY", b"\xde\xad\xbe\xef"]


def has(every: np.ndarray, first: int = FIRST, stride: int = STRIDE) -> bool:
    return has_unwritten_blocks(every, 0, periods(every, BLOCK), first, stride)


def with_holes(fill: bytes, *holes: tuple[int, int]) -> np.ndarray:
    every = NOISE.copy()
    for begin, end in holes:
        every[begin:end] = np.resize(np.frombuffer(fill, np.uint8), end - begin)
        every[[begin - 1, end]] = 7  # what is beside a hole does not go on with its fill by chance
    return every


@pytest.mark.parametrize("fill", FILLS)
def test_a_page_or_three_places_of_blocks_that_were_never_written_are_no_picture(fill: bytes) -> None:
    assert has(with_holes(fill, (8192, 12_288)))
    assert has(with_holes(fill, *[(at * BLOCK, at * BLOCK + 1024) for at in (9, 51, 103)]))
    assert not has(with_holes(fill, *[(at * BLOCK, at * BLOCK + 1024) for at in (9, 51)]))


@pytest.mark.parametrize("fill", FILLS)
def test_what_begins_or_ends_elsewhere_is_a_picture_s_own(fill: bytes) -> None:
    for shift in (1, 100, 511):
        moved = [(at * 4096 + shift, at * 4096 + 4096) for at in (2, 5, 9)]
        longer = [(at * 4096, at * 4096 + 4096 + shift) for at in (12, 15, 19)]
        assert not has(with_holes(fill, *moved, *longer))


def test_bars_and_plain_tiles_at_rows_that_begin_where_blocks_do_are_a_picture_s_own() -> None:
    upright = [(row * 4096 + 512, row * 4096 + 2048) for row in range(2, 30)]
    assert not has(with_holes(b"\0", *upright), stride=4096)  # rows begin elsewhere, but all are at one column
    assert not has(with_holes(b"\0", *upright), first=0, stride=4096)
    assert not has(with_holes(b"\0", (8192, 12_288), (20_480, 24_576)), first=0, stride=64)


def test_noise_and_what_is_plain_throughout_have_no_holes() -> None:
    assert not has(NOISE)
    assert not has(np.zeros_like(NOISE))


@pytest.mark.parametrize("fill", [0, 255])
def test_an_end_that_was_never_written_begins_with_a_page_within_a_row(fill: int) -> None:
    for begin, ends in ((81_920, True), (81_920 + 512, False), (81_921, False)):
        every = NOISE.copy()
        every[begin:] = fill
        every[begin - 1] = 7
        assert has_unwritten_end(every, 0, FIRST, STRIDE) == ends
        assert not has_unwritten_end(every, 0, 0, 4096)  # a bar, by rows that begin where pages do
    assert not has_unwritten_end(NOISE, 0, FIRST, STRIDE)
    assert not has_unwritten_end(np.zeros_like(NOISE), 0, FIRST, STRIDE)
