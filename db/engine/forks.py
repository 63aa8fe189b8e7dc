"""No SQLite connection crosses a fork.

A child that opened the same file would believe that it holds the locks that its parent had, which the kernel did not
pass on (https://sqlite.org/howtocorrupt.html, 2.6). So a process that forks opens a connection for each scope, and a
fork waits for the end of the one that is open.
"""

from __future__ import annotations

import os
import threading


def lock_that_forks_wait_for() -> threading.Lock:
    """A lock, free in the child; forks of this process wait until whoever holds it lets go."""
    lock = threading.Lock()
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock
