import math
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from db.line.insert_histories import InsertHistory, InsertLook
from db.line.rows import Wear
from producer.contract.vocabulary import DAMAGE_KINDS
from worker.lives import from_histories
from worker.lives.from_histories import Stratum, life_of, strata, wear_line_of, worn_out
from worker.lives.life import CensoredLife
from worker.lives.wear_line import WearLine

STRATUM = Stratum("m", "h", "")
WORDS = {"i": "intact", "d": "damaged", "u": "unsure"}


def insert(
    letters: str,
    first: int | None = 1,
    *,
    is_from_new: bool = True,
    label: str | None = None,
    operation: str | None = None,
) -> InsertHistory:
    """An insert with a look for each letter, one operation apart."""
    looks = [
        InsertLook(
            UUID(int=number + 1),
            datetime(2026, 11, 22, number, tzinfo=UTC),
            operation or f"op-{number}",
            None if first is None else first + number,
            WORDS[letter],
            label if letter == "d" else None,
            None,
        )
        for number, letter in enumerate(letters)
    ]
    return InsertHistory("m", "h", 1, looks, is_from_new, True)


@pytest.mark.parametrize(
    ("letters", "low", "high"),
    [
        ("iiii", 4, math.inf),
        ("iidd", 2, 3),
        ("iuud", 1, 4),
        ("d", 0, 1),
        ("iidii", 5, math.inf),
        ("iiu", 2, math.inf),
        ("uu", 0, math.inf),
    ],
)
def test_a_life_ends_between_the_last_intact_look_and_the_next_damaged_one(
    letters: str, low: float, high: float
) -> None:
    assert life_of(insert(letters), STRATUM) == CensoredLife(STRATUM, low, high)


def test_one_that_was_not_new_when_it_was_seen_counts_from_then_on() -> None:
    assert life_of(insert("iid", 7, is_from_new=False), STRATUM) == CensoredLife(STRATUM, 8, 9, entry=7)
    assert life_of(insert("dd", 7, is_from_new=False), STRATUM) is None
    assert life_of(insert("iid", None), STRATUM) is None


def test_the_kind_is_the_first_that_was_said() -> None:
    assert life_of(insert("id", label="broken"), STRATUM) == CensoredLife(STRATUM, 1, 2, "broken")
    assert life_of(insert("id", label="damaged"), STRATUM) == CensoredLife(STRATUM, 1, 2)


def test_of_two_looks_after_one_operation_the_later_one_is_right() -> None:
    both = insert("id")
    looks = [*both.looks[:1], InsertLook(**{**vars(both.looks[1]), "age": 1})]
    assert life_of(InsertHistory("m", "h", 1, looks, True, True), STRATUM) == CensoredLife(STRATUM, 0, 1)


def test_an_operation_is_a_stratum_where_inserts_do_nothing_else() -> None:
    roughing = [insert("iid", operation="roughing") for _ in range(2)]
    alone = insert("iid", operation="finishing")
    assert [stratum.operation for stratum in strata([*roughing, alone, insert("iii")])] == ["roughing"] * 2 + [""] * 2


def test_a_line_has_the_means_in_the_newest_unit_up_to_the_age_and_a_life_that_broke_is_not_worn_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(from_histories, "DAMAGE_KINDS", (*DAMAGE_KINDS, "chipped"))
    wears = [Wear(20.0, 30.0, "px"), *(Wear(width, 2 * width, "mm") for width in (0.1, 0.2, 0.3)), None]
    worn, broken, chipped = (insert("iiiid", label=label) for label in ("worn", "broken", "chipped"))
    worn, broken, chipped = (
        replace(of, looks=[replace(look, wear=wear) for look, wear in zip(of.looks, wears, strict=True)])
        for of in (worn, broken, chipped)
    )
    assert wear_line_of(worn, 4) == WearLine([4], [0.2], "mm")
    assert wear_line_of(worn, 3) is None
    assert wear_line_of(insert("iiii"), 4) is None
    (life,) = worn_out([worn, broken, chipped, insert("iid")], [STRATUM] * 4)
    assert (life.line, life.end) == (WearLine([4], [0.2], "mm"), 4.5)
