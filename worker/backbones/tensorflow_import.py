"""Import TensorFlow after PostgreSQL's driver, and without its messages on standard error."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from worker.runtime.held_stderr import held_stderr


@contextmanager
def loading_tensorflow() -> Iterator[None]:
    """The context in which Keras and TensorFlow are imported.

    TensorFlow exports the symbols of its own TLS library (BoringSSL) to all libraries that are loaded later. The
    driver's libpq would then call those instead of OpenSSL's, and the process would crash at the first connection to
    PostgreSQL over TLS. Loaded before, it is bound to its own.

    What this process writes to standard error meanwhile, from C++ as well, is held back, and shown only if the block
    fails. The collector of garbage stands still: what an import makes is no garbage, and to look through it again and
    again is a fifth of the processor time.
    """
    import psycopg  # noqa: F401 - see above

    collecting = gc.isenabled()
    gc.disable()
    try:
        with held_stderr():
            yield
    finally:
        if collecting:
            gc.enable()
