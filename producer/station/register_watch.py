"""Follows the head register in a thread of its own: a share that hangs must not hold up who works by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, Self

from producer.runtime.periodic import Periodic
from producer.station.followed_register import FollowedRegister
from producer.station.head_register import HeadRegister
from producer.station.settled_files import SETTLED_AFTER

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at the file."""


class RegisterWatch(Periodic):
    """Says how many pockets each head has, when the block is entered and, to its end, whenever the file was changed."""

    def __init__(
        self,
        register: HeadRegister,
        declare: Callable[[Mapping[str, int]], None],
        *,
        settled_after: float = SETTLED_AFTER,
    ):
        """Nothing is said yet; `settled_after` is that of `FollowedRegister`."""
        super().__init__(LOOK_EVERY, name="head-register", failure="the head register is not followed")
        self._followed = FollowedRegister(register, settled_after=settled_after)
        self._declare = declare

    def __enter__(self) -> Self:
        self._say()
        return super().__enter__()

    def turn(self) -> None:
        """Say it if the file was changed, and is still."""
        if self._followed.look_again(time.monotonic()):
            self._say()

    def _say(self) -> None:
        self._declare({name: head.pockets for name, head in self._followed.register.heads.items()})
