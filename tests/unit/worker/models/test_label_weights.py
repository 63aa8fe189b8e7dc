from __future__ import annotations

import numpy as np
import pytest

from worker.models.label_weights import FEWEST, FEWEST_EACH, MOST_VERDICTS, label_weights


def test_a_label_stands_for_as_many_verdicts_as_its_chance_says_and_at_most_for_so_many() -> None:
    chances = [1.0] * 10 + [0.05] * 20 + [0.001] * 10 + [None] * 5
    weights = label_weights(chances, np.arange(len(chances)) % 2)
    assert weights is not None
    np.testing.assert_allclose(weights[[10, 30, 40]] / weights[0], [20, MOST_VERDICTS, 0])
    assert weights[weights > 0].mean() == pytest.approx(1)


@pytest.mark.parametrize(("intact", "damaged"), [(FEWEST - FEWEST_EACH - 1, FEWEST_EACH), (FEWEST, FEWEST_EACH - 1)])
def test_few_labels_by_chance_have_no_weights_however_many_were_imported(intact: int, damaged: int) -> None:
    chances = [1.0] * (intact + damaged) + [None] * 500
    sides = np.array([0] * intact + [1] * damaged + [0, 1] * 250)
    assert label_weights(chances, sides) is None
    assert label_weights([1.0, *chances, 1.0], np.array([0, *sides, 1])) is not None
