"""Texts that come from Python: English where they are written, and in the reader's language where a page shows them."""

from __future__ import annotations

from typing import Any, Final

from babel import Locale

from db.console.reader.languages import translations
from db.line.station_days import ASPECTS
from db.queries.connector_health import SINK_WORDS
from db.schema.column_words import AUDIT_ACTIONS, FAULT_STATES, PERSON_ROLES
from producer.contract.vocabulary import LABELS, MODEL_ACTIONS, MODEL_ROLES, OUTCOMES, STATES

WORDS: Final = (
    *OUTCOMES,
    *LABELS,
    *STATES,
    *FAULT_STATES,
    *PERSON_ROLES,
    # What a pocket shows beside outcomes (`db.queries.pockets_now.PocketWord`).
    *("fault", "missing", "new, not looked at yet", "empty"),
    # Why something could not be judged.
    *("image missing", "image unreadable", "digest mismatch", "invalid event", "id of another", "crashed"),
    # What the audit says was done, and what it adds in details.
    *AUDIT_ACTIONS,
    *("role", "token", "days", "reason", "label", "rows", "how", "count", "captures", "from", "to", "said by"),
    *("made at", "checks"),
    # What the days of a station are compared by.
    *ASPECTS,
    # How the plant's other systems are told.
    *SINK_WORDS,
    # How a model came into its role, and what it is there for.
    *(action.replace("_", " ") for action in MODEL_ACTIONS),
    *MODEL_ROLES,
)
"""Words of the data that a page shows by `value|word`. One that is not among them is shown as it is."""


class Text(str):
    """An English text whose `%(name)s` are filled with `values`; it can be said in another language too."""

    source: str
    values: dict[str, Any]

    def __new__(cls, source: str, **values: Any) -> Text:
        """Fill in the values; one that is a text itself is said in the same language."""
        text = super().__new__(cls, source % values if values else source)
        text.source, text.values = source, values
        return text

    def translated(self, locale: Locale) -> str:
        """The text in the reader's language."""
        text = str(translations(locale.language).ugettext(self.source))
        values = {
            name: value.translated(locale) if isinstance(value, Text) else value for name, value in self.values.items()
        }
        return text % values if values else text
