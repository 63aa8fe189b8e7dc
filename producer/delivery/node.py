"""The node of an outbox: what the ids of its captures end with, and those of no other (RFC 9562, 6.4).

It must be the same at each start, whatever the network does then, and another one where the outbox was copied to
another computer, or restored from a backup. So it is a number of the outbox's own, noted for the file that it is in,
and for the network hardware that the computer has, connected or not. A copy is another file; that of a whole disk has
other hardware.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from producer.delivery.outbox import Outbox

HARDWARE: Final = Path("/sys/class/net")
"""Where Linux shows each network device; what is no hardware has no `device`. Elsewhere the file alone says it."""

_PERMANENT: Final = "0"
"""How Linux says that a device's address is its own, and was not made up or set."""


def node_of(outbox: Outbox) -> int:
    """The 32 bits that the ids of an outbox on this computer end with (`producer.contract.event.next_id`).

    Raises:
        OSError: the outbox's file is gone.
        sqlite3.Error: the outbox cannot be written.
    """
    file = outbox.path.stat().st_ino
    notes = [f"node of {file} {address}".rstrip() for address in _addresses()]
    # One device of before is enough: others come and go.
    known = next((own for note in notes if (own := outbox.note(note)) is not None), None)
    own = outbox.first_note(notes[0], known or secrets.token_hex(16))
    for note in notes[1:]:
        outbox.first_note(note, own)
    return int.from_bytes(hashlib.sha256(own.encode()).digest()[:4])


def _addresses() -> list[str]:
    """Those of the network hardware, in order; an empty one where there is none."""
    addresses = []
    for device in HARDWARE.glob("*/device"):
        with suppress(OSError):  # it was taken out just now
            address, kind = ((device.parent / name).read_text().strip() for name in ("address", "addr_assign_type"))
            if kind == _PERMANENT:
                addresses.append(address)
    return sorted(addresses) or [""]
