from dataclasses import replace
from datetime import UTC, datetime

from db.learning.remaining_lives import RemainingLife, in_words
from db.learning.survival_curve import SurvivalCurve

CURVE = SurvivalCurve(tuple(map(float, range(1, 16))))
LIFE = RemainingLife("m", "h", 1, 3, 9, datetime(2026, 11, 22, tzinfo=UTC), CURVE, CURVE)


def test_what_is_said_tells_whose_lives_it_is_from() -> None:
    assert in_words(LIFE) == "8 (4 … 12) operations, 80 %, 9 lives behind it"
    assert (
        in_words(replace(LIFE, lives=0))
        == "8 (4 … 12) operations, 80 %, by the lives of other heads or operations alone"
    )
