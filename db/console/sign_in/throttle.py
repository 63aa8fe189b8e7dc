"""Slows logins down: after some failures a name and an address must wait before the next login is checked.

Tokens are slowed down in the same way; here a token takes the place of the name.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Literal

Subject = tuple[Literal["name", "token", "address"], str]

FAILURES: Final = {"name": 5, "token": 5, "address": 50}
"""How many logins may fail for a name, a token, or from an address, within `WINDOW` seconds. Behind a proxy all people
have one address."""

WINDOW: Final = 300.0

_MOST_KNOWN: Final = 10_000
"""How many names and addresses are remembered; those that failed longest ago are forgotten first."""


class Throttle:
    """Counts failed logins of this process: of a name and of an address, each by itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[Subject, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, *subjects: Subject) -> float:
        """Seconds until another login of these may be tried; 0 where it may now."""
        with self._lock:
            return self._longest(subjects)

    def begin(self, *subjects: Subject) -> float:
        """Begin a login, as `wait` says; it counts as failed until it has succeeded: many may be tried at once."""
        with self._lock:
            seconds = self._longest(subjects)
            if seconds == 0.0:
                self._note(subjects)
            return seconds

    def failed(self, *subjects: Subject) -> None:
        """Note a login that failed and was not begun here."""
        with self._lock:
            self._note(subjects)

    def succeeded(self, name: Subject, address: Subject) -> None:
        """Forget the failures of a name that has signed in, and of its address this one try."""
        with self._lock:
            self._failed.pop(name, None)
            if times := self._failed.get(address):
                times.pop()

    def take_back(self, *subjects: Subject) -> None:
        """Forget this one try of each: it was begun but not finished, so it is unknown whether it was right."""
        with self._lock:
            for subject in subjects:
                if times := self._failed.get(subject):
                    times.pop()

    def _note(self, subjects: Iterable[Subject]) -> None:
        for subject in subjects:
            times = self._failed.pop(subject, deque(maxlen=FAILURES[subject[0]]))
            times.append(self._clock())
            self._failed[subject] = times  # the last one in the order of failures
        while len(self._failed) > _MOST_KNOWN:
            del self._failed[next(iter(self._failed))]

    def _longest(self, subjects: Iterable[Subject]) -> float:
        return max((self._wait(subject) for subject in subjects), default=0.0)

    def _wait(self, subject: Subject) -> float:
        times = self._failed.get(subject)
        if times is None or len(times) < FAILURES[subject[0]]:
            return 0.0
        return max(0.0, times[0] + WINDOW - self._clock())
