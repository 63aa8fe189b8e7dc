"""Folders that are mounted: with a second side, as a network share and an overlay have one, or under a second name."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def shared(folder: Path, at: Path, *options: str) -> Iterator[Path]:
    """`folder` as a share that is mounted at `at`; a test is skipped where that cannot be had."""
    with _mounted(at, ["bindfs", *options, folder, at], ["fusermount", "-uz", at]):
        yield at


@contextmanager
def bound(folder: Path, at: Path) -> Iterator[Path]:
    """`folder` under the name `at` too; a test is skipped where that cannot be had."""
    with _mounted(at, ["mount", "--bind", folder, at], ["umount", "--lazy", at]):
        yield at


@contextmanager
def overlaid(lower: Path, upper: Path, work: Path, at: Path) -> Iterator[Path]:
    """`lower` with `upper` above it, as a container has its files; a test is skipped where that cannot be had."""
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    with _mounted(at, ["mount", "-t", "overlay", "overlay", "-o", options, at], ["umount", "--lazy", at]):
        yield at


@contextmanager
def _mounted(at: Path, mount: Sequence[str | Path], unmount: Sequence[str | Path]) -> Iterator[None]:
    at.mkdir(exist_ok=True)
    try:
        tried = subprocess.run(mount, capture_output=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip(f"there is no {mount[0]} here")
    if tried.returncode != 0:
        pytest.skip(f"this user may not mount ({tried.stderr.decode().strip()})")
    try:
        yield
    finally:
        subprocess.run(unmount, capture_output=True, check=False, timeout=60)
