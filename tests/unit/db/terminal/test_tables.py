import io
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from rich.console import Console
from rich.table import Table

from db.engine.times import local
from db.learning.model_registry import Model, Promotion
from db.learning.reviews import Review
from db.line.checks import Check
from db.line.faults import Fault
from db.queries.pocket_history import PocketRow
from db.terminal.tables import check_table, fault_table, history_table, model_table, review_table, text, verdict_table

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def rendered(table: Table) -> str:
    console = Console(file=io.StringIO(), width=250)
    console.print(table)
    return console.file.getvalue()


def model(name: str) -> Model:
    return Model(name, "vgg16:fc1", "f" * 64, T0, ("damaged", "intact"), 210, {}, name, "d" * 64)


def test_nothing_in_a_value_reaches_the_terminal_as_a_command() -> None:
    shown = text("\x1b[2Jgone\a[bold]\n").plain
    assert shown == "\\x1b[2Jgone\\x07[bold]\\n"
    assert text("ü → ★").plain == "ü → ★"


@pytest.mark.parametrize("width", [80, 40])
def test_a_narrow_terminal_breaks_no_word_and_loses_none(width: int) -> None:
    why = "0.984 on splits by insert, against the champion's 0.994: not worse (p = 0.2)"
    unknown = dict.fromkeys([field.name for field in fields(PocketRow)])
    judged = {"operation": "op-0815", "outcome": "damaged", "model_id": "efficientnet_lite0-91be9", "reason": why}
    rows = [PocketRow(**unknown | {"captured_at": T0, "ordered_at": T0} | part) for part in (judged, {})]
    console = Console(file=io.StringIO(), width=width)
    console.print(history_table(rows, []))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    words = " ".join(lines).split()
    assert {*why.split(), "op-0815", "damaged", "efficientnet_lite0-91be9"} <= {*words}
    assert max(map(len, lines)) <= width
    assert {"edge", "review", "insert"}.isdisjoint(words), "nothing is known of these in any row"
    assert len([line for line in lines if line.startswith(local(T0)[:8])]) == 2


def test_what_is_not_known_is_a_dash() -> None:
    assert text(None).plain == "–"
    assert text(0).plain == "0"
    assert text(0.123456).plain == "0.123"


def test_a_check_shows_its_pockets() -> None:
    check = Check(UUID(int=2), "st-1", "mill-1", "head-1", "op-10", 30, T0, "replace", (3, 11), (4,), 30)
    shown = rendered(check_table([check]))
    assert "30/30" in shown
    assert "3 11" in shown
    assert str(UUID(int=2)) in shown


def test_a_check_shows_what_never_came() -> None:
    check = Check(UUID(int=2), "st-1", "mill-1", "head-1", "op-10", 30, T0, "review", (), (17, 23), 28, (17, 23))
    assert rendered(check_table([check])).count("17 23") == 2


@pytest.mark.parametrize("off", [timedelta(hours=10), timedelta(hours=-10), timedelta(days=73 * 365)])
def test_a_wrong_clock_is_seen_where_a_person_looks(off: timedelta) -> None:
    place = {"station": "st-1", "machine": "mill-1", "head": "head-1", "pocket": 3, "operation": "op-10"}
    unknown = dict.fromkeys([field.name for field in fields(PocketRow)])
    rows = [
        PocketRow(**unknown | place | {"captured_at": T0 + wrong, "ordered_at": T0})
        for wrong in (off, timedelta(seconds=2))
    ]
    for table in (history_table(rows, []), verdict_table(rows)):
        assert rendered(table).count(f"{local(T0 + off)} by a wrong clock, ordered as {local(T0)}") == 1
        assert rendered(table).count("wrong clock") == 1


def test_the_wear_land_is_told_in_millimetres_where_the_scale_is_known() -> None:
    unknown = dict.fromkeys([field.name for field in fields(PocketRow)])
    told = unknown | {"captured_at": T0, "ordered_at": T0, "wear_mean": 18.4, "wear_max": 31.0}
    shown = rendered(history_table([PocketRow(**told), PocketRow(**told | {"pixels_per_mm": 50.0})], []))
    assert "18 to 31 px" in shown
    assert "0.37 to 0.62 mm" in shown


def test_markup_in_a_fault_is_text() -> None:
    fault = Fault(1, None, "st", None, None, "invalid_event", "[red]x[/red] [/nothing]", "{}", T0, T0, 4, "open")
    assert "[red]x[/red] [/nothing]" in rendered(fault_table([fault]))


def test_a_star_marks_the_model_in_charge_and_the_last_promotion_counts() -> None:
    promotions = [
        Promotion(3, "old", T0, "ana", "rolled back"),
        Promotion(2, "new", T0, "trainer", "better"),
        Promotion(1, "old", T0, "trainer", "first"),
    ]
    lines = rendered(model_table([model("new"), model("old"), model("unused")], promotions, model("old"))).splitlines()
    assert "★" not in lines[1]
    assert "better" in lines[1]
    assert lines[2].startswith("★")
    assert "rolled back" in lines[2]
    assert "–" in lines[3]


def test_a_ring_marks_the_model_in_shadow_whose_role_is_no_promotion() -> None:
    promotions = [
        Promotion(2, "new", T0, "trainer", "a candidate", role="shadow"),
        Promotion(1, "old", T0, "ana", "1st"),
    ]
    lines = rendered(model_table([model("new"), model("old")], promotions, model("old"), model("new"))).splitlines()
    assert lines[1].startswith("○")
    assert "a candidate" not in lines[1]
    assert lines[2].startswith("★")


def test_a_note_is_text() -> None:
    review = Review(1, UUID(int=1), "worn", "ana", T0, "[red]\x1b[2Jflank")
    shown = rendered(review_table([review]))
    assert "[red]\\x1b[2Jflank" in shown
    assert "ana" in shown
