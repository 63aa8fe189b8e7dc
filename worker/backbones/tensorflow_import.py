"""How TensorFlow is loaded: after PostgreSQL's driver, and quietly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from worker.runtime.held_stderr import held_stderr


@contextmanager
def loading_tensorflow() -> Iterator[None]:
    """The block in which Keras and TensorFlow are imported.

    TensorFlow makes the names of its own TLS library (BoringSSL) known to everything that is loaded later. The driver's
    libpq would call those in the place of OpenSSL's, and the process would die at the first connection to PostgreSQL
    over TLS. Loaded before, it is bound to its own.

    What this process writes to standard error meanwhile is held back; it is shown after all when the block fails.
    """
    import psycopg  # noqa: F401 - see above

    with held_stderr():
        yield
