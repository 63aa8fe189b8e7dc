from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from producer.terminal.console import messages
from tests.cut_out_pictures import cut_out, metal, saved
from worker.commands.labelled_folder import TakenInFolder
from worker.commands.train import _tell_taken
from worker.learning.folder_import import Imported, LabelledPhoto, Photographs


def told(folder: Path, pictures: list[Image.Image], backbone: str, capsys: pytest.CaptureFixture[str]) -> str:
    photos = [LabelledPhoto(folder / f"{number}.png", "intact", None) for number in range(len(pictures))]
    for photo, picture in zip(photos, pictures, strict=True):
        photo.path.write_bytes(saved(picture, "PNG"))
    _tell_taken(TakenInFolder(Photographs(tuple(photos), (), ()), Imported()), backbone, messages(), as_json=True)
    return " ".join(capsys.readouterr().err.split())


def test_where_most_were_cut_out_it_says_how_to_look_along_the_edge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, full = cut_out("an edge")[0], metal((325, 129))
    assert "`insert-worker compare FOLDER`" in told(tmp_path, [cut, full, cut], "vgg16:a+gap", capsys)
    assert told(tmp_path, [cut, full, full], "vgg16:a+gap", capsys) == ""
    assert told(tmp_path, [cut, full, cut], "vgg16:a+gap+edge", capsys) == ""
