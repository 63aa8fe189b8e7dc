"""Slows logins down: after some failures a name and an address must wait before the next login is checked.

Tokens are slowed down in the same way; here a token takes the place of the name.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final, Literal

Subject = tuple[Literal["name", "token", "address"], str]

FAILURES: Final = {"name": 5, "token": 5, "address": 50}
"""How many logins may fail for a name, a token, or from an address, within `WINDOW` seconds. Behind a proxy all people
have one address."""

WINDOW: Final = 300.0

_WAIT_SECONDS: Final = 5.0
"""Seconds that a login waits for others of its name or address that are under way."""

_MOST_KNOWN: Final = 10_000
"""How many names and addresses are remembered; those that failed longest ago are forgotten first."""


class Throttle:
    """Counts failed logins of this process: of a name and of an address, each by itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[Subject, deque[float]] = {}
        self._under_way: Counter[Subject] = Counter()
        self._ended = threading.Condition()

    def wait(self, *subjects: Subject) -> float:
        """Seconds until another login of these may be tried; 0 where it may now."""
        with self._ended:
            return self._longest(subjects)

    def begin(self, *subjects: Subject) -> float:
        """Begin a login, as `wait` says, which `failed`, `succeeded` or `take_back` ends.

        No more are under way at once than may still fail. The next waits for one of these to end: it may be right, as
        when many people begin a shift with one account.
        """
        until = time.monotonic() + _WAIT_SECONDS
        with self._ended:
            while not (seconds := self._longest(subjects)) and self._is_full(subjects):
                if not self._ended.wait(until - time.monotonic()):
                    return 1.0
            if not seconds:
                self._under_way.update(subjects)
            return seconds

    def failed(self, *subjects: Subject) -> None:
        """Note a login that failed, whether it was begun here or not."""
        with self._ended:
            self._end(subjects)
            self._note(subjects)

    def succeeded(self, name: Subject, address: Subject) -> None:
        """End a login, and forget the failures of a name that has signed in."""
        with self._ended:
            self._failed.pop(name, None)
            self._end((name, address))

    def take_back(self, *subjects: Subject) -> None:
        """End a login that was begun but not finished: it is unknown whether it was right."""
        with self._ended:
            self._end(subjects)

    def _end(self, subjects: Iterable[Subject]) -> None:
        self._under_way = +(self._under_way - Counter(subjects))
        self._ended.notify_all()

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

    def _is_full(self, subjects: Iterable[Subject]) -> bool:
        since = self._clock() - WINDOW
        failed = {subject: sum(at > since for at in self._failed.get(subject, ())) for subject in subjects}
        return any(number + self._under_way[of] >= FAILURES[of[0]] for of, number in failed.items())
