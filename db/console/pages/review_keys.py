"""The keys of the Review page as they are at first; what a person has changed is kept in the browser (`keys.js`)."""

from __future__ import annotations

from typing import Final

from producer.contract.vocabulary import LABELS

KEYS: Final[dict[str, tuple[str, ...]]] = {
    **{label: (str(number), label[0]) for number, label in enumerate(LABELS, 1)},
    "undo": ("Backspace", "z"),
    "skip": ("ArrowRight", "s"),
    "previous": (" ",),
    "evidence": ("e",),
    "larger": ("+", "="),
    "smaller": ("-",),
    "whole": ("0",),
    "help": ("?",),
}
"""The keys of each action as they are at first, by the names that browsers give them. A label has its number, and its
first letter as on the terminal."""
