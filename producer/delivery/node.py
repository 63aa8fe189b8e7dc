"""The node of an outbox: what the ids of its captures end with, and those of no other (RFC 9562, 6.4).

It must be the same at each start, whatever the network does then, and another one where the outbox was copied to
another computer. So it is a number of the outbox's own, noted for the file that it is in, for the installed system
(machine-id(5)), and for the network hardware that the computer has, connected or not. A copy is another file; that of a
whole disk has other hardware, or is another system where a cloned machine keeps its address. Where a clone keeps all of
that, an answer to what the other one took tells of it (`producer.station.station`). So does, of an outbox that was
restored from a backup into its old file, an answer to what it took since.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from os.path import ismount
from pathlib import Path
from typing import Final

from producer.delivery.outbox import Outbox

HARDWARE: Final = Path("/sys/class/net")
"""Where Linux shows each network device; what is no hardware has no `device`. Elsewhere the file alone says it."""

SYSTEM: Final = Path("/etc/machine-id")
"""Where a system says which it is. One that is mounted there is not its own, or another one at each start."""

_PERMANENT: Final = "0"
"""How Linux says that a device's address is its own, and was not made up or set."""


def node_of(outbox: Outbox) -> int:
    """The 32 bits that the ids of an outbox on this computer end with (`producer.contract.event.next_id`).

    Raises:
        OSError: the outbox's file is gone.
        sqlite3.Error: the outbox cannot be written.
    """
    notes = _notes(outbox)
    # One device of before is enough: others come and go.
    known = next((own for note in notes if (own := outbox.note(note)) is not None), None)
    own = outbox.first_note(notes[0], known or secrets.token_hex(16))
    for note in notes[1:]:
        outbox.first_note(note, own)
    return _bits(own)


def another_node(outbox: Outbox, shared: int) -> int:
    """The node from now on of an outbox that has one in common with another; all its processes come to one.

    Raises:
        OSError, sqlite3.Error: as of `node_of`.
    """
    if (known := node_of(outbox)) != shared:
        return known
    own = secrets.token_hex(16)
    for note in _notes(outbox):
        outbox.keep_note(note, own)
    return _bits(own)


def _notes(outbox: Outbox) -> list[str]:
    """Under which names the outbox's own number is noted."""
    file = outbox.path.stat().st_ino
    computer = f"{file} {_system()}".rstrip()
    return [f"node of {computer} {address}".rstrip() for address in _addresses()]


def _bits(own: str) -> int:
    return int.from_bytes(hashlib.sha256(own.encode()).digest()[:4])


def _system() -> str:
    """Which system this is; empty where nothing that lasts says it."""
    with suppress(OSError, UnicodeDecodeError):
        if not ismount(SYSTEM):
            return SYSTEM.read_text().strip()
    return ""


def _addresses() -> list[str]:
    """Those of the network hardware, in order; an empty one where there is none."""
    addresses = []
    for device in HARDWARE.glob("*/device"):
        with suppress(OSError):  # it was taken out just now
            address, kind = ((device.parent / name).read_text().strip() for name in ("address", "addr_assign_type"))
            if kind == _PERMANENT:
                addresses.append(address)
    return sorted(addresses) or [""]
