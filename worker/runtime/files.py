"""Atomic file writes: a reader, or a machine that loses power, sees the old content or the new, never half."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from producer.terminal.error_text import naming


def sync(path: Path) -> None:
    """Force a file, or the names inside a folder, to the disk. A folder on Windows cannot be synced and is skipped."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`: what is written there becomes `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        with naming(path):
            yield temporary
            temporary.chmod(0o644)  # mkstemp's 0600 would shut out everybody else
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`: it takes its place, with every file synced, when the block ends well.

    A folder cannot be exchanged in one step everywhere, so an old one is moved aside first and removed last.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    old = temporary.with_suffix(".old")
    try:
        with naming(folder):
            yield temporary
            temporary.chmod(0o755)
            for file in temporary.iterdir():
                sync(file)
            sync(temporary)
        if folder.exists():
            folder.rename(old)
        try:
            temporary.rename(folder)
        except OSError:
            if old.exists() and not folder.exists():
                old.rename(folder)
            raise
        sync(folder.parent)
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(temporary)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
