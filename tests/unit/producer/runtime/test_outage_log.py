from __future__ import annotations

from structlog.testing import capture_logs

from producer.runtime.outage_log import OutageLog


def test_each_reason_is_said_once_and_the_end_once() -> None:
    outage = OutageLog("Redis is away, waiting", "Redis is back")
    with capture_logs() as said:
        outage.ends()
        for reason in ("LOADING", "refused", "LOADING", "refused"):
            outage.begins(reason)
        outage.ends()
        outage.ends()
        outage.begins("LOADING")
    assert [(each["event"], each.get("problem")) for each in said] == [
        ("Redis is away, waiting", "LOADING"),
        ("Redis is away, waiting", "refused"),
        ("Redis is back", None),
        ("Redis is away, waiting", "LOADING"),
    ]
