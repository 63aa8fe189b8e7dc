"""All reasons, by name, and how a sentence is recognised as one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Final

from producer.contract.reasons import checks, faults, file_kinds, image_files, models, photographs, stations
from producer.contract.reasons.template import Reason, Template

SUBJECTS: Final = (image_files, file_kinds, photographs, models, faults, checks, stations)

TEMPLATES: Final[Mapping[str, Template]] = {
    f"{subject.__name__.rpartition('.')[2]}.{name}": value
    for subject in SUBJECTS
    for name, value in vars(subject).items()
    if isinstance(value, Template)
}
"""Each template by its identifier, such as `image_files.EMPTY`."""

LONGEST: Final = 2_000
"""Characters of a sentence that is recognised: stations may send any text, and one to be looked through takes time."""


@lru_cache(10_000)
def recognised(sentence: str) -> Reason | None:
    """The reason that a sentence is, wherever it was kept; None where no template makes it.

    Where several do, the one with the most text of its own.
    """
    if len(sentence) > LONGEST:
        return None
    by_word = _by_first_word()
    candidates = (*by_word.get(sentence.partition(" ")[0], ()), *by_word.get("", ()))
    return next(filter(None, (template.read(sentence) for template in candidates)), None)


@cache
def _by_first_word() -> Mapping[str, Sequence[Template]]:
    """The templates by their first word, those that begin with a place under the empty one; the longest first."""
    by_word: dict[str, list[Template]] = defaultdict(list)
    for template in sorted(TEMPLATES.values(), key=lambda template: -len(template.text)):
        word, blank, _ = template.beginning.partition(" ")
        by_word[word if blank or not template.places else ""].append(template)
    return by_word
