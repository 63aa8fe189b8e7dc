from __future__ import annotations

import numpy as np
import pytest

from db.evidence.evidence_map import MOST_CELLS, EvidenceDamaged, EvidenceMap, unpacked


@pytest.mark.parametrize("shape", [(1, 1), (14, 14), (7, 30), (MOST_CELLS, MOST_CELLS)])
def test_a_map_is_kept_in_less_than_a_kilobyte_and_off_by_half_a_step(shape: tuple[int, int]) -> None:
    shares = np.random.default_rng(0).normal(0, 0.3, shape)
    data = EvidenceMap(shares).packed()
    assert len(data) < 1000
    step = (shares.max() - shares.min()) / 255
    np.testing.assert_allclose(unpacked(data).shares, shares, atol=step / 2 + 1e-6)


def test_a_map_of_one_value_is_kept_too() -> None:
    np.testing.assert_array_equal(unpacked(EvidenceMap(np.full((3, 2), 0.5)).packed()).shares, np.full((3, 2), 0.5))


def test_the_strongest_cell_is_the_one_with_the_largest_share() -> None:
    shares = np.zeros((4, 5))
    shares[2, 3], shares[0, 0] = 0.1, -3
    assert EvidenceMap(shares).strongest() == (2, 3)


def test_bytes_that_are_no_map_are_refused_in_words() -> None:
    good = EvidenceMap(np.arange(6.0).reshape(2, 3)).packed()
    for data in (b"", b"\x01", good[:-4], b"\x02" + good[1:], good[:1] + b"\xff" + good[2:], good[:11], b"\0" * 40):
        with pytest.raises(EvidenceDamaged, match="no map of evidence"):
            unpacked(data)
