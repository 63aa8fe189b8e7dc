from dataclasses import replace
from datetime import timedelta

import pytest

from db import models


def promote(line, model_id: str, at, reason: str = "better") -> models.Promotion:
    with line.database.transaction() as session:
        return models.promote(session, model_id, by="trainer", reason=reason, at=at)


def champion(line, at=None) -> str | None:
    with line.database.reading() as session:
        found = models.champion(session, at)
    return found.model_id if found else None


def test_a_model_comes_back_as_it_went_in(line) -> None:
    model = line.model("m-1")
    with line.database.reading() as session:
        assert models.find(session, "m-1") == model
        assert models.find(session, "m-2") is None


def test_registering_twice_changes_nothing(line) -> None:
    model = line.model("m-1")
    with line.database.transaction() as session:
        assert models.register(session, model) is False
        assert models.register(session, replace(model, trained_on=1)) is False
        assert models.find(session, "m-1") == model
        assert models.register(session, replace(model, model_id="m-2")) is True


def test_the_newest_model_comes_first(line, start) -> None:
    for name, day in (("a", 0), ("b", 2), ("c", 1)):
        line.model(name, created_at=start + timedelta(days=day))
    with line.database.reading() as session:
        assert [model.model_id for model in models.recent(session)] == ["b", "c", "a"]
        assert [model.model_id for model in models.recent(session, limit=1)] == ["b"]


def test_who_was_in_charge_when(line, start) -> None:
    line.model("a")
    line.model("b")
    assert champion(line) is None
    for hour, name in ((1, "a"), (2, "b"), (3, "a")):
        promote(line, name, start + timedelta(hours=hour))
    assert champion(line) == "a"
    for hours, expected in ((0.5, None), (1, "a"), (1.5, "a"), (2, "b"), (2.5, "b"), (3, "a"), (99, "a")):
        assert champion(line, start + timedelta(hours=hours)) == expected
    with line.database.reading() as session:
        assert [each.model_id for each in models.promotions(session)] == ["a", "b", "a"]


def test_promoting_the_champion_again_is_a_no_op(line, start) -> None:
    line.model("a")
    first = promote(line, "a", start, "first")
    assert promote(line, "a", start + timedelta(hours=1), "again") == first
    with line.database.reading() as session:
        assert models.promotions(session) == [first]


def test_the_last_promotion_counts_even_by_a_clock_that_is_behind(line, start) -> None:
    line.model("a")
    line.model("b")
    promote(line, "a", start)
    assert promote(line, "b", start - timedelta(minutes=5)).at == start
    assert champion(line) == "b"
    assert champion(line, start) == "b"


def test_a_model_that_nobody_registered_cannot_be_in_charge(line, start) -> None:
    with pytest.raises(LookupError, match="'ghost' is not registered"):
        promote(line, "ghost", start)
