"""The node of an outbox: what the ids of its captures end with, and those of no other (RFC 9562, 6.4)."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import Final

from producer.delivery.outbox import Outbox

_NOTE: Final = "node"
"""Where a number of the outbox's own is noted, of which its node is made."""

_IS_RANDOM: Final = 1 << 40
"""The bit that no hardware has; Python sets it in the address that it makes up where there is none."""


def node_of(outbox: Outbox) -> int:
    """The 32 bits that the ids of an outbox on this computer end with (`producer.contract.event.next_id`).

    The same file on another computer has others, by its network hardware: it was copied, or restored there, and both
    may go on.

    Raises:
        sqlite3.Error: the outbox cannot be written.
    """
    address = uuid.getnode()
    own = outbox.first_note(_NOTE, secrets.token_hex(8))
    text = f"{own} {0 if address & _IS_RANDOM else address}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
