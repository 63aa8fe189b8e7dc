"""Maps the classes of a labelled folder to labels: as the command says, or by a known word. Never guessed."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from producer.contract.vocabulary import LABELS
from worker.dataset.labelled_folder import DatasetError

_WORDS: Final = {
    "intact": "intakt intacte intacto intatto good ok okay io gut heil undamaged unbeschädigt bon bueno buono",
    "worn": "wear verschlissen verschleiß abgenutzt usé usée desgastado usurato",
    "broken": "breakage fractured gebrochen bruch cassé cassée roto rotto",
    "damaged": "damage bad nok nio defect defective beschädigt schaden schäden defekt endommagé dañado danneggiato",
    "unusable": "unbrauchbar",
}
KNOWN: Final = {label: label for label in LABELS} | {
    word.casefold(): label for label, words in _WORDS.items() for word in words.split()
}
"""The labels and other words for them, in lower case and without the dots of abbreviations."""


@dataclass(frozen=True)
class Meanings:
    """The label of each class, and notes about what was inferred."""

    labels: Mapping[str, str]
    notes: tuple[str, ...] = ()


def meanings(
    classes: Sequence[str], stated: Mapping[str, str], *, intact: str | None = None, rest: str | None = None
) -> Meanings:
    """Map `classes` to labels: what is `stated` of them, else a known word for a label, else `rest`.

    `intact` names the class that is intact; then no other one is. Names are compared without regard to capitals.

    Raises:
        DatasetError: a class or label does not exist, or it is open what a class means.
    """
    if intact is not None:
        stated = {**stated, intact: "intact"}
    named = {_plain(name): label for name, label in stated.items()}
    if unknown := sorted(name for name in stated if _plain(name) not in map(_plain, classes)):
        raise DatasetError(f"there is no class {', '.join(unknown)}; there are {', '.join(classes)}")
    if wrong := sorted(set(stated.values()) - set(LABELS)):
        raise DatasetError(f"{wrong[0]} is none of the labels {', '.join(LABELS)}")
    labels: dict[str, str] = {}
    by_word: list[str] = []
    by_rest: list[str] = []
    for name in classes:
        label = named.get(_plain(name)) or KNOWN.get(_plain(name).replace(".", ""))
        if intact is not None and label == "intact" and named.get(_plain(name)) != "intact":
            label = None
        if label is None and rest is not None:
            label = rest
            by_rest.append(name)
        elif label is not None and label != _plain(name) and _plain(name) not in named:
            by_word.append(f"'{name}' for {label}")
        if label is not None:
            labels[name] = label
    if left := [name for name in classes if name not in labels]:
        raise DatasetError(
            f"the classes {', '.join(left)} are none of the labels {', '.join(LABELS)}: say what each means, like "
            f"--class {_quoted(left[0])}=damaged"
        )
    notes = [f"taken by their names: {', '.join(by_word)} (--class NAME=LABEL says otherwise)"] if by_word else []
    if by_rest:
        notes.append(f"taken for {rest}: {', '.join(by_rest)} (--class NAME=LABEL says otherwise)")
    return Meanings(labels, tuple(notes))


def known_words(classes: Sequence[str]) -> Meanings:
    """Map `classes` to labels by their names alone (see `meanings`)."""
    return meanings(classes, {})


def meanings_to_train(classes: Sequence[str], stated: Mapping[str, str], intact: str | None) -> Meanings:
    """Map `classes` to labels for training (see `meanings`): one class is intact, and all unknown ones are damaged.

    Raises:
        DatasetError: as `meanings`, or it is open which class is intact.
    """
    meant = meanings(classes, stated, intact=intact, rest="damaged")
    if not any(label == "intact" for label in meant.labels.values()):
        raise DatasetError(
            f"nothing says which of the classes {', '.join(classes)} is intact: say so with --intact-class NAME"
        )
    if all(label == "intact" for label in meant.labels.values()):
        raise DatasetError(f"the classes {', '.join(classes)} all mean intact: say otherwise with --class NAME=damaged")
    return meant


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
