from __future__ import annotations

import pytest

from producer.contract.reasons.template import IN_OTHER_WORDS
from producer.pictures.stand_in import is_stand_in, reason_in, stand_in
from tests.support import photograph


@pytest.mark.parametrize("reason", ["2.jpg is empty", "Kopf Größe 2/1.jpg: it is a symbolic link"])
def test_the_reason_comes_back(reason: str) -> None:
    assert is_stand_in(stand_in(IN_OTHER_WORDS(text=reason)))
    assert reason_in(stand_in(IN_OTHER_WORDS(text=reason))) == reason
    assert not is_stand_in(photograph())


def test_what_anybody_may_hand_in_is_one_short_line() -> None:
    odd = stand_in(IN_OTHER_WORDS(text="")) + b"a\0b\nc\xff" + b"x" * 100_000
    assert reason_in(odd).startswith("a b c\ufffdxxx")
    assert len(reason_in(odd)) == 500
    assert reason_in(stand_in(IN_OTHER_WORDS(text="\n"))) == "the station does not say why"
