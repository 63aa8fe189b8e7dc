"""What libraries say to nobody: TensorFlow's C++ side while it is imported, Pillow about damaged files."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def quiet_decoders() -> None:
    """Drop Pillow's warnings, for this process: `worker.images` says itself what is wrong with an image.

    Python keeps the text of every warning that it has shown, and these quote the file: thousands of damaged images
    would fill the memory of a worker.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what this process writes to standard error, from C++ as well; shown after all when the block fails."""
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
