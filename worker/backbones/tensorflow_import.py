"""Import TensorFlow after PostgreSQL's driver, and without its messages on standard error."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading_tensorflow() -> Iterator[None]:
    """The context in which Keras and TensorFlow are imported.

    TensorFlow exports the symbols of its own TLS library (BoringSSL) to all libraries that are loaded later. The
    driver's libpq would then call those instead of OpenSSL's, and the process would crash at the first connection to
    PostgreSQL over TLS. Loaded before, it is bound to its own.

    What this process writes to standard error meanwhile, from C++ as well, is held back, and shown only if the block
    fails.
    """
    import psycopg  # noqa: F401 - see above

    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
