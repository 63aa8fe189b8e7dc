"""What a connector reports, as others read it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from producer.contract.connector_report import KEPT_FOR, REPORT_EVERY, ConnectorReport

SINK = {
    "name": "mes", "up": True, "problem": None, "since": 1.0, "disabled": False, "waiting": 0, "oldest": None,
    "given_up": 0, "delivered": 7, "last_at": 2.0,
}  # fmt: skip
REPORT = {"site": "plant-1", "host": "pc-1", "written_at": "2026-11-28T10:00:00Z", "sinks": [SINK]}


def read(**changes: Any) -> ConnectorReport:
    return ConnectorReport.model_validate_json(json.dumps(REPORT | changes))


def test_what_a_newer_connector_says_too_is_passed_over() -> None:
    assert read(mood="good", sinks=[SINK | {"mood": "good"}]) == read()


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": "<b>"},
        {"written_at": "now"},
        {"sinks": [SINK | {"since": 1e300}]},
        {"sinks": [SINK | {"oldest": float("nan")}]},
        {"sinks": [SINK | {"waiting": -1}]},
        {"sinks": [SINK | {"delivered": 2**70}]},
        {"sinks": [SINK | {"problem": "x" * 501}]},
        {"sinks": 3},
    ],
    ids=str,
)
def test_what_cannot_be_shown_is_no_report(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**wrong)


def test_a_report_outlives_a_few_that_do_not_come() -> None:
    assert KEPT_FOR >= 3 * REPORT_EVERY
