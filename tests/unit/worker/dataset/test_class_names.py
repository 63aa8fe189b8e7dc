"""What a class means is said, or a word that everybody knows says it; it is never guessed in silence."""

from __future__ import annotations

import unicodedata

import pytest

from producer.contract.vocabulary import LABELS
from worker.dataset.class_names import known_words, meanings, meanings_to_train
from worker.dataset.labelled_folder import DatasetError


def test_labels_mean_themselves_without_a_word() -> None:
    found = meanings([label.capitalize() for label in LABELS], {})
    assert tuple(found.labels.values()) == LABELS
    assert found.notes == ()


def test_known_words_are_taken_and_said() -> None:
    found = known_words(["Gut", "Verschleiß", "n.i.O."])
    assert found.labels == {"Gut": "intact", "Verschleiß": "worn", "n.i.O.": "damaged"}
    assert found.notes == (
        (
            "taken by their names: 'Gut' for intact, 'Verschleiß' for worn, 'n.i.O.' for damaged "
            "(--class NAME=LABEL says otherwise)"
        ),
    )


def test_what_is_said_stands_above_words_and_needs_no_note() -> None:
    classes = [unicodedata.normalize("NFD", "Für gut befunden"), "good"]
    found = meanings(classes, {"für gut befunden": "intact", "Good": "worn"})
    assert list(found.labels.values()) == ["intact", "worn"]
    assert found.notes == ()


def test_a_class_to_import_that_nothing_is_known_of_is_asked_for() -> None:
    with pytest.raises(DatasetError, match='--class "Klasse 1"=damaged'):
        known_words(["intact", "Klasse 1"])


def test_to_learn_from_the_others_count_as_damaged_and_that_is_said() -> None:
    found = meanings_to_train(["Intakt", "Schäden groß", "worn"], {}, None)
    assert found.labels == {"Intakt": "intact", "Schäden groß": "damaged", "worn": "worn"}
    assert found.notes == (
        "taken by their names: 'Intakt' for intact (--class NAME=LABEL says otherwise)",
        "taken for damaged: Schäden groß (--class NAME=LABEL says otherwise)",
    )


def test_the_class_that_is_said_to_be_intact_is_the_only_one() -> None:
    found = meanings_to_train(["good", "Neu", "worn"], {}, "neu")
    assert found.labels == {"good": "damaged", "Neu": "intact", "worn": "worn"}


@pytest.mark.parametrize(
    ("classes", "said", "intact", "message"),
    [
        (["a", "b"], {}, None, "which of the classes a, b is intact: say so with --intact-class"),
        (["good", "ok"], {}, None, "all mean intact"),
        (["a", "b"], {}, "c", "there is no class c; there are a, b"),
        (["a", "b"], {"c": "worn"}, "a", "there is no class c"),
        (["a", "b"], {"a": "fine"}, None, "fine is none of the labels"),
    ],
)
def test_what_stays_open_is_asked_for(
    classes: list[str], said: dict[str, str], intact: str | None, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        meanings_to_train(classes, said, intact)
