"""Errors of a form or an address in the reader's language: pydantic has them in English only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from db.console.reader.texts import Text

_SAID: Final[Mapping[str, str]] = {
    kind: text
    for text, kinds in {
        Text("%(field)s is missing"): ("missing",),
        Text("%(field)s has more than %(max_length)s characters"): ("string_too_long",),
        Text("%(field)s has fewer than %(min_length)s characters"): ("string_too_short",),
        Text("%(field)s has a character that cannot be taken"): ("string_pattern_mismatch", "string_unicode"),
        Text("%(field)s is none of these: %(expected)s"): ("literal_error", "enum"),
        Text("%(field)s is less than %(ge)s"): ("greater_than_equal",),
        Text("%(field)s is more than %(le)s"): ("less_than_equal",),
        Text("%(field)s is not above %(gt)s"): ("greater_than",),
        Text("%(field)s is not below %(lt)s"): ("less_than",),
        Text("%(field)s is no whole number"): ("int_parsing", "int_type", "int_from_float", "int_parsing_size"),
        Text("%(field)s is no number"): ("float_parsing", "float_type", "finite_number"),
        Text("%(field)s is neither yes nor no"): ("bool_parsing", "bool_type"),
        # Of pages that is what `producer.contract.names` says.
        Text("%(field)s is no name that a machine or a head can have"): ("value_error",),
        Text("%(field)s is no capture's number"): ("uuid_parsing", "uuid_type"),
        Text("%(field)s has more than %(max_length)s values"): ("too_long",),
        Text("%(field)s has fewer than %(min_length)s values"): ("too_short",),
    }.items()
    for kind in kinds
}
"""What is said of a field by the kind of error (https://docs.pydantic.dev/latest/errors/validation_errors/)."""


def mistake(where: Sequence[str | int], kind: str, context: Mapping[str, Any]) -> Text:
    """One thing that is wrong; a kind that pages do not know is said without its cause."""
    field = next((str(name) for name in reversed(where) if isinstance(name, str)), "?")
    source = _SAID.get(kind)
    if source is None:
        return Text("%(field)s is not what is asked for here", field=field)
    values = {name: str(value).replace(" or ", ", ") for name, value in context.items()}
    return Text(source, field=field, **values)


def no_state(state: str, known: Sequence[str]) -> Text:
    """That a state which an address asks for is none of those there are."""
    return Text("%(given)r is no state: %(known)s", given=state, known=", ".join(known))


def no_action(action: str, known: Sequence[str]) -> Text:
    """That the audit has no such action as an address asks for."""
    return Text("%(given)r is nothing that the audit has: %(known)s", given=action, known=", ".join(known))
