"""The head register of a program that goes on for days: taken anew once its file was changed and nobody writes it."""

from __future__ import annotations

import math

import structlog

from producer.station.head_register import HeadRegister, RegisterBeingWritten
from producer.station.settled_files import DOUBT_FOR, SETTLED_AFTER, Look

log = structlog.get_logger()


class FollowedRegister:
    """A head register, as its file was when that was last still.

    Args:
        register: as it is at first.
        settled_after: seconds that its file must show the same before what is changed in it counts.
    """

    def __init__(self, register: HeadRegister, *, settled_after: float = SETTLED_AFTER) -> None:
        self.register = register
        self._settled_after = settled_after
        self._taken = self._seen = _look_at(register)
        self._since = -math.inf  # that it has shown so
        self._doubted: Look | None = None

    def look_again(self, now: float) -> bool:
        """Take the register as its file is now, once that has been still, at `now` of `time.monotonic`; whether it was.

        One that says less than before is taken when it still does after a while: it may be half written. One that is
        gone or cannot be read leaves what was declared before, and is said once.
        """
        look = _look_at(self.register)
        if look != self._seen:
            self._seen, self._since = look, now
        still = now - self._since
        if look == self._taken or still < self._settled_after:
            return False
        try:
            register = HeadRegister.load(self.register.path)
            if still < DOUBT_FOR and (doubt := _doubt(register, self.register)) is not None:
                if look != self._doubted:
                    self._doubted = look
                    log.warning("the head register may not be written to its end: what it said counts", problem=doubt)
                return False
        except RegisterBeingWritten:
            return False
        except (ValueError, OSError) as error:
            self._taken = look
            log.error("the head register cannot be read any more: what it said before still counts", problem=str(error))
            return False
        self._taken, self.register = look, register
        log.warning("the head register was changed, and counts as it is now", heads=len(register.heads))
        return True


def _doubt(register: HeadRegister, before: HeadRegister) -> str | None:
    """Why a register may not be written to its end yet; None where nothing says so."""
    if not register.path.read_bytes().endswith(b"\n"):
        return "its last line has no end"
    for name, head in before.heads.items():
        there = register.heads.get(name)
        if there is None:
            return f"it has no head {name} any more"
        if there.pockets < head.pockets or len(there.regions) < len(head.regions):
            return f"it says less of head {name}"
    return None


def _look_at(register: HeadRegister) -> Look | None:
    """How the register's file looks; None where there is none."""
    try:
        return Look.at(register.path.stat())
    except OSError:
        return None
