from __future__ import annotations

import os
from pathlib import Path

import pytest

from producer.station.nameless_files import holds_picture, may_be_photograph
from tests.support import make_no_file, photograph


def test_what_may_not_be_read_may_be_a_photograph(tmp_path: Path) -> None:
    """A program that copies here makes its file for itself alone."""
    path = tmp_path / "tmpab12cd"
    if os.geteuid() == 0:  # who may read every file; but nobody can read this one from its beginning
        path.symlink_to("/proc/self/mem")
    else:
        path.touch(mode=0)
    assert may_be_photograph(path)
    assert not holds_picture(path)


@pytest.mark.parametrize("kind", ["a link to nowhere", "a link to a device", "a pipe", "a folder"])
def test_what_is_no_file_is_no_photograph_and_is_not_opened(tmp_path: Path, kind: str) -> None:
    make_no_file(tmp_path / "IMG_2", kind)
    assert not may_be_photograph(tmp_path / "IMG_2")
    assert not may_be_photograph(tmp_path / "gone")


def test_a_photograph_is_one_under_the_name_of_a_text_and_an_empty_text_is_none(tmp_path: Path) -> None:
    (tmp_path / "2.txt").write_bytes(photograph())
    (tmp_path / "1.txt").touch()
    assert [may_be_photograph(tmp_path / name) for name in ("2.txt", "1.txt")] == [True, False]


def test_what_is_known_to_be_no_new_photograph_is_none_whatever_it_holds(tmp_path: Path) -> None:
    for name in ("._2", "Thumbs.db", ".thumbnail-2", "IMG_2.jpg~", "IMG_2.bak", "IMG_2.thm", "#IMG_2#"):
        (tmp_path / name).write_bytes(photograph())
        assert not may_be_photograph(tmp_path / name), name
