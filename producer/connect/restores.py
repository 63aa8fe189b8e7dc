"""Where the line says that a backup was restored (`producer.contract.plant_news.Restored`): nothing of before counts.

Several workers may say so, and one says so again where Redis may have lost it. Said twice, it is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import structlog

from producer.contract.answers import STREAM_FIELD
from producer.contract.plant_news import Restored
from producer.delivery.stream_reader import StreamEntry

log = structlog.get_logger()

NOTE: Final = "restored"
"""The note of the backup that was restored last, by `Restored.restore_id`."""


def parts_of(
    entries: Sequence[StreamEntry], known: str | None
) -> Iterator[tuple[Sequence[StreamEntry], Mapping[str, str]]]:
    """What was read, in parts: one ends where another backup than the `known` one was restored, with the note of it."""
    first = 0
    for end, entry in enumerate(entries, 1):
        restored = Restored.read(entry.fields.get(STREAM_FIELD, b""))
        if restored is not None and str(restored.restore_id) != known:
            known = str(restored.restore_id)
            log.warning("a backup was restored: heads have no state until their next answer")
            yield entries[first:end], {NOTE: known}
            first = end
    if first < len(entries):
        yield entries[first:], {}
