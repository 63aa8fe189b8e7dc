"""All reasons, by name, and how a sentence is recognised as one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Final

from producer.contract.reasons import (
    checks,
    faults,
    file_kinds,
    image_files,
    models,
    photographs,
    promotion,
    refusals,
    stations,
)
from producer.contract.reasons.template import Reason, Template

SUBJECTS: Final = (image_files, file_kinds, photographs, models, faults, checks, stations, promotion, refusals)

TEMPLATES: Final[Mapping[str, Template]] = {
    f"{subject.__name__.rpartition('.')[2]}.{name}": value
    for subject in SUBJECTS
    for name, value in vars(subject).items()
    if isinstance(value, Template)
}
"""Each template by its identifier, such as `image_files.EMPTY`."""

LONGEST: Final = 2_000
"""Characters of a sentence that is recognised: stations may send any text, and one to be looked through takes time."""


DEEPEST: Final = 5
"""So many reasons within one another are looked for, for the same reason; two or three there are."""


@lru_cache(10_000)
def recognised(sentence: str, deepest: int = DEEPEST) -> Reason | None:
    """The reason that a sentence is, wherever it was kept; None where no template makes it.

    Where several do, the one with the most text of its own. What is within it is a reason too, where it is one.
    """
    if len(sentence) > LONGEST or deepest == 0:
        return None
    by_word = _by_first_word()
    for template in (*by_word.get(sentence.partition(" ")[0], ()), *by_word.get("", ())):
        reason = template.read(sentence)
        if reason is not None and (whole := _with_inner(reason, deepest - 1)) is not None:
            return whole
    return None


def _with_inner(reason: Reason, deepest: int) -> Reason | None:
    """A reason with those within it; None where something else is in the place of one."""
    values = {**reason.values}
    for name, kind in reason.template.places.items():
        if kind == "reasons":
            values[name] = tuple(recognised(part, deepest) or part for part in values[name])
        elif kind in ("reason", "words"):
            inner = recognised(values[name], deepest)
            if inner is None and kind == "reason":
                return None
            values[name] = inner or values[name]
    return Reason(reason.template, values)


@cache
def _by_first_word() -> Mapping[str, Sequence[Template]]:
    """The templates by their first word, those that begin with a place under the empty one; the longest first."""
    by_word: dict[str, list[Template]] = defaultdict(list)
    for template in sorted(TEMPLATES.values(), key=lambda template: -len(template.text)):
        word, blank, _ = template.beginning.partition(" ")
        by_word[word if blank or not template.places else ""].append(template)
    return by_word
