from __future__ import annotations

from db.commands import reviews
from db.console.pages.review_keys import KEYS
from producer.contract.vocabulary import LABELS


def test_no_key_does_two_things() -> None:
    """A label has its first letter, so a further label may begin as another one, or as what another key does."""
    keys = [key for of_action in KEYS.values() for key in of_action]
    assert sorted(keys) == sorted(set(keys))
    assert len({label[0] for label in LABELS} - {"s", "q"}) == len(LABELS)
    assert {reviews.KEYS[label[0]] for label in LABELS} == set(LABELS)
