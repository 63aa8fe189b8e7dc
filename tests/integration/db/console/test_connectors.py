"""The plant's other systems in the console: how each is told, and never green where nobody knows."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from db.queries import connector_health

SINK = {
    "name": "mes", "up": True, "problem": None, "since": 1.0, "disabled": False, "waiting": 0, "oldest": None,
    "given_up": 0, "delivered": 7, "last_at": 2.0,
}  # fmt: skip


def heard(line, *sinks, ago: float = 3, connector: str = "a", **changes) -> None:
    at = datetime.now(UTC) - timedelta(seconds=ago)
    said = {"site": "plant-1", "host": "pc-1", "written_at": at.isoformat(), "sinks": sinks or [SINK]}
    with line.database.transaction() as session:
        connector_health.keep(session, {connector: json.dumps(said | changes)}, at)


def shown(signed_in) -> str:
    """The part of the page that is about them."""
    text = signed_in("viewer").get("/faults").text
    return text.partition('id="connectors"')[2].partition('<h2 class="part">')[0]


GREEN = 'class="state go"'


def test_without_a_connector_nothing_is_said(line, signed_in) -> None:
    assert shown(signed_in) == ""


def test_each_system_is_shown_with_what_to_do(line, signed_in) -> None:
    heard(
        line,
        SINK,
        SINK | {"name": "broker", "up": False, "problem": "no answer", "waiting": 12, "oldest": 2.0},
        SINK | {"name": "erp", "disabled": True},
        SINK | {"name": "wms", "given_up": 2},
        SINK | {"name": "scada", "problem": "it answered 400", "waiting": 1, "oldest": 2.0},
    )
    text = shown(signed_in)
    assert "The connector of plant-1 on pc-1 was heard" in text
    assert text.count(GREEN) == 1
    for words in (
        "no answer",
        "Look after the system",
        "connect enable erp</code>",
        "2 events were tried for days",
        "deliveries --system wms --state given-up</code>",
        "deliveries --system scada --state waiting</code>",
    ):
        assert words in text, words


def test_a_connector_that_has_vanished_is_never_green(line, signed_in) -> None:
    heard(line, ago=120)
    text = shown(signed_in)
    assert "Nothing has been heard of the connector of plant-1 on pc-1 for 2 min" in text
    assert "insert-station connect run" in text
    assert "insert-worker run" in text
    assert GREEN not in text
    assert ">not known</b>" in text


@pytest.mark.parametrize("problem", ["<script>alert(1)</script>", '" onclick="x', "{{ 7*7 }}"])
def test_what_a_connector_says_is_text(line, signed_in, problem) -> None:
    name = '<img src="x">'
    heard(line, SINK | {"name": name, "problem": problem, "up": False}, host=problem)
    text = shown(signed_in)
    assert "<img" not in text
    assert "<script" not in text
    assert '" onclick' not in text
    assert "49" not in text


def test_what_is_not_understood_costs_that_connector_alone(line, signed_in) -> None:
    heard(line)
    heard(line, connector="b", sinks="all of them")
    text = shown(signed_in)
    assert "is not understood" in text
    assert text.count(GREEN) == 1
