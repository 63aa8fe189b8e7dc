"""`insert-station heads`: its parts by themselves; what the command prints is in the acceptance tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from producer.commands.main import app
from producer.station.head_register import HeadRegister

REGISTER = """\
[heads.H12]
pockets = 4
region = { x1 = 40, y1 = 200, x2 = 360, y2 = 180, above = 60, below = 20 }
[heads.H12.regions]
3 = { left = 0, top = 0, width = 100, height = 100 }
"""


def run(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["heads", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit | ValueError), result.exception
    said = str(result.exception) if isinstance(result.exception, ValueError) else result.stderr
    return result.exit_code, result.stdout, said


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INSERTS_DATA", str(tmp_path))
    (tmp_path / "heads.toml").write_text(REGISTER, encoding="utf-8")
    for name in ("1", "2", "3"):
        image = Image.new("RGB", (400, 300))
        ImageDraw.Draw(image).polygon([(60, 40), (340, 30), (350, 200), (50, 220)], "#b0b0a0")
        image.save(tmp_path / f"{name}.jpg")
    return tmp_path


@pytest.mark.parametrize("words", [[], ["show"]])
def test_a_register_is_shown_with_and_without_the_word(folder: Path, words: list[str]) -> None:
    code, said, _ = run(*words, folder / "heads.toml", "--json")
    assert code == 0
    (head,) = json.loads(said)["heads"]
    assert head["regions"]["3"]["width"] == 100
    assert head["regions"]["4"]["above"] == 60


def test_what_is_looked_at_is_drawn_and_what_is_not_in_the_photograph_is_told(folder: Path) -> None:
    code, said, told = run("draw", folder / "1.jpg", "--register", folder / "heads.toml")
    assert (code, told) == (0, "")
    assert said == "picture: heads-1.png, of head H12: 2 regions\n"
    with Image.open(folder / "heads-1.png") as picture:
        assert picture.size == (400, 300)
        assert picture.getpixel((200, 190)) != (176, 176, 160), "the edge's line"
    Image.new("RGB", (200, 220), "grey").save(folder / "small.png")
    code, _, told = run("draw", folder / "small.png", "--register", folder / "heads.toml", "--out", folder / "s.png")
    assert code == 1
    assert "pockets 1, 2, 4: the region is not inside the photograph of 200×220 pixels" in told
    assert (folder / "s.png").is_file()


def test_which_head_is_meant_must_be_clear(folder: Path) -> None:
    (folder / "heads.toml").write_text(f"{REGISTER}[heads.K7]\npockets = 2\n", encoding="utf-8")
    assert "give --head NAME" in run("draw", folder / "1.jpg", "--register", folder / "heads.toml")[2]
    unknown = run("draw", folder / "1.jpg", "--register", folder / "heads.toml", "--head", "K8")[2]
    assert "there is no head K8" in unknown
    said = run("draw", folder / "1.jpg", "--register", folder / "heads.toml", "--head", "K7")[1]
    assert "no region is declared, the whole photograph is judged" in said


def test_a_proposal_can_be_pasted_into_the_register(folder: Path) -> None:
    Image.new("RGB", (10, 10)).save(folder / "other.png")
    code, said, told = run("suggest", folder)
    assert code == 0
    assert "1 photograph of another size or unreadable" in told
    (folder / "heads.toml").write_text(f"[heads.H1]\npockets = 3\n{said}", encoding="utf-8")
    head = HeadRegister.load(folder / "heads.toml").get("H1")
    assert head is not None
    edge = json.loads(run("suggest", folder, "--json")[1])["edge"]
    assert head.regions[2].model_dump() == edge
    assert abs(edge["y1"] - 220) < 8, "the lower side"
    assert "there is no folder" in run("suggest", folder / "nowhere")[2]
