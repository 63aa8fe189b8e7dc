"""What a connector reports of its sinks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from producer.connect.reporter import report_of
from producer.contract.connector_report import ConnectorReport, SinkState

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
SINK = SinkState("mes", False, "no answer", 1.0, False, 3, 2.0, 0, 7, None)


def test_a_report_comes_back_as_it_was_with_a_long_problem_cut() -> None:
    report = report_of("plant-1", [SINK, replace(SINK, name="broker", problem="x" * 5000)], NOW)
    again = ConnectorReport.model_validate_json(report.model_dump_json())
    assert again == report
    assert (again.site, again.written_at, again.sinks[0]) == ("plant-1", NOW, SINK)
    assert again.sinks[1].problem == "x" * 400
