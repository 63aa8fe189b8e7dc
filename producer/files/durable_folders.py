"""A folder that is replaced as a whole: a reader sees all of its old files or all of its new ones."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from producer.files.durable_files import make_folder, replace, sync
from producer.terminal.error_text import naming


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`: it takes its place, with every file synced, when the block ends well.

    A folder cannot be exchanged in one step everywhere, so an old one is moved aside first and removed last.

    Raises:
        OSError: the disk is full or cannot be written; the old folder, or none, is left then.
    """
    make_folder(folder.parent)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    old = temporary.with_suffix(".old")
    try:
        with naming(folder):
            yield temporary
            temporary.chmod(0o755)  # mkdtemp's 0700 would shut out the colleague who opens it next
            for file in temporary.iterdir():
                sync(file)
            sync(temporary)
        if folder.exists():
            replace(folder, old)
        try:
            replace(temporary, folder)
        except OSError:
            if old.exists() and not folder.exists():
                replace(old, folder)
            raise
        sync(folder.parent)
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(temporary)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
