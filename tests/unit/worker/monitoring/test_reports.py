"""What children count is in their parent's metrics."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.metrics_support import scrape_of
from tests.support import wait_until
from worker.monitoring.line_state import LineState
from worker.monitoring.metrics import WorkerMetrics
from worker.monitoring.reports import ChildMetrics, ModelsInUse, Reader, Report, Reporter, Reports


def work(reports: Reports) -> None:
    """What a child does with a message of three captures."""
    counted = ChildMetrics()
    with Reporter(reports, counted, lambda: ModelsInUse("m", None, refused=True)).message(3):
        counted.group(3)
        with counted.stage("decode"):
            pass
        counted.judged("damaged", 0.2, "st-1")
        counted.answered_again()
        counted.fault("crashed")
        counted.wrong_clock(timedelta(minutes=-9))


def test_what_a_child_counts_arrives_at_its_parent() -> None:
    reports, metrics, taken = Reports(), WorkerMetrics(), []

    def take(report: Report) -> None:
        metrics.add(report.counts)
        taken.append(report)

    with Reader(reports, take):
        child = os.fork()
        if child == 0:
            work(reports)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        wait_until(lambda: len(taken) == 2)
    begun, ended = taken
    assert (begun.pid, begun.in_hand, begun.finished, begun.models) == (child, 3, 0, None)
    assert (ended.pid, ended.in_hand, ended.finished) == (child, 0, 3)
    assert ended.models == ModelsInUse("m", None, refused=True)
    told = scrape_of(metrics.registry)
    assert told.value("inserts_captures_total", outcome="damaged") == 1
    assert told.value("inserts_captures_told_again_total") == 1
    assert told.value("inserts_faults_total", reason="crashed") == 1
    assert told.value("inserts_captures_wrong_clock_total", clock="behind") == 1
    assert told.value("inserts_stage_seconds_count", stage="decode") == 1
    assert told.value("inserts_batch_captures_sum") == 3


def test_a_message_that_fails_is_out_of_hand_all_the_same() -> None:
    reports, state = Reports(), LineState()
    reporter = Reporter(reports, ChildMetrics(), ModelsInUse)

    def fail() -> None:
        with reporter.message(2):
            state.take(reports.receive() or pytest.fail("no report"))
            assert state.in_hand == 2
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    state.take(reports.receive() or pytest.fail("no report"))
    assert (state.in_hand, state.finished) == (0, 0)


def test_a_report_that_nobody_reads_costs_a_moment_and_no_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.monitoring.reports.SEND_TIMEOUT", 0.001)
    reports = Reports()
    with capture_logs() as logs:
        for _ in range(1000):  # more than fit into the socket
            reports.send(Report(1, 1, counts=[("fault", ("crashed",))] * 50))
    assert {entry["event"] for entry in logs} == {"a report did not reach the parent"}
    assert len(logs) < 1000
