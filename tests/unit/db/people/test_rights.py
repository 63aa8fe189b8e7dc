from typing import get_args

import pytest

from db.people.rights import ROLE_FOR, Right, may
from db.schema.column_words import PERSON_ROLES


def test_every_right_has_the_role_that_is_needed_for_it() -> None:
    assert set(ROLE_FOR) == set(get_args(Right))
    assert set(ROLE_FOR.values()) == set(PERSON_ROLES), "each role has a right that those below it have not"


@pytest.mark.parametrize("right", get_args(Right))
def test_a_role_has_the_rights_of_those_below_it(right: Right) -> None:
    have = [may(role, right) for role in PERSON_ROLES]
    assert have == sorted(have)
    assert have[-1] is True
    assert PERSON_ROLES[have.index(True)] == ROLE_FOR[right]
