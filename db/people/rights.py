"""Who may do what on the console and by its API: each right, and the role that is needed for it.

A role has the rights of those below it. `docs/security.md` says the same by address, and a test holds it to this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from db.schema.column_words import PERSON_ROLES, PersonRole

Right = Literal[
    "see",
    "label photographs",
    "tell insert changes",
    "note faults as seen",
    "settle faults",
    "accept drift",
    "choose models",
    "read the audit",
]

ROLE_FOR: Final[Mapping[Right, PersonRole]] = {
    "see": "viewer",
    "label photographs": "reviewer",
    "tell insert changes": "reviewer",
    "note faults as seen": "reviewer",
    "settle faults": "maintainer",
    "accept drift": "maintainer",
    "choose models": "maintainer",
    "read the audit": "administrator",
}
"""The lowest role that has each right."""


def may(role: PersonRole, right: Right) -> bool:
    """Whether a role has a right."""
    return PERSON_ROLES.index(role) >= PERSON_ROLES.index(ROLE_FOR[right])
