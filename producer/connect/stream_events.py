"""The events of the plant's stream: each entry has an answer of the line, but for those that no event is made of."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from producer.contract.answers import STREAM_FIELD
from producer.contract.missed_answers import MissedAnswersEnd
from producer.contract.plant_event import STATION_FIELD, PlantEvent, plant_event
from producer.contract.plant_news import PLANT_ANSWERS, may_be_state
from producer.delivery.stream_reader import StreamEntry
from producer.terminal.error_text import in_words

log = structlog.get_logger()


class StreamEvents:
    """Makes an event of each entry."""

    def __init__(self, site: str):
        """Of the plant's name."""
        self._site = site
        self.not_understood: str | None = None
        """Why an answer was passed over that may be a state."""

    def event(self, entry: StreamEntry) -> PlantEvent | None:
        """The event of an entry; None if it is not understood, or is none."""
        text = entry.fields.get(STREAM_FIELD, b"")
        if MissedAnswersEnd.read(text) is not None:
            return None
        try:
            answer = PLANT_ANSWERS.validate_json(text)
            station = entry.fields.get(STATION_FIELD, b"").decode()
            return plant_event(self._site, station, answer, entry.written_at)
        except (ValueError, OverflowError) as error:  # a time beyond all calendars among them
            problem = in_words(error, "answer")
            log.error("an answer is not understood and was passed over", id=entry.id, problem=problem)
            if may_be_state(text):
                self.not_understood = f"an answer is not understood, {problem}: are the workers newer?"
            return None


def moment_of(entry_id: str) -> str:
    """When the entry of that id was written, for people."""
    return datetime.fromtimestamp(StreamEntry(entry_id, {}).written_at, UTC).isoformat(timespec="seconds")
