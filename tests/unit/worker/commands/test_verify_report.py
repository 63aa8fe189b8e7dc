from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

import worker.commands.main
from worker.commands.verify_report import Verified, report

GROUPS = ("features", "networks", "weights")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(worker.commands.main.app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("group", GROUPS)
def test_a_mistyped_folder_is_not_taken_for_whole(group: str, tmp_path: Path) -> None:
    done = run(group, "verify", "--data", tmp_path / "none")
    assert isinstance(done.exception, ValueError)
    assert str(done.exception).startswith(f"there is no folder {tmp_path / 'none'}:")
    assert done.stdout == ""


@pytest.mark.parametrize(("group", "option"), [("networks", "--networks"), ("weights", "--weights-folder")])
@pytest.mark.parametrize("command", ["list", "verify"])
def test_so_is_a_mistyped_folder_of_its_own(group: str, option: str, command: str, tmp_path: Path) -> None:
    done = run(group, command, option, tmp_path / "none", "--data", tmp_path)
    assert str(done.exception).startswith(f"there is no folder {tmp_path / 'none'}:")


@pytest.mark.parametrize("group", GROUPS)
def test_a_line_that_has_nothing_to_verify_says_so(group: str, tmp_path: Path) -> None:
    done = run(group, "verify", "--data", tmp_path)
    assert (done.exit_code, "so there is nothing to verify" in done.stdout) == (0, True)
    done = run(group, "verify", "--data", tmp_path, "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"whole": True, "verified": []})


def test_a_networks_url_is_no_folder(tmp_path: Path) -> None:
    done = run("networks", "verify", "--networks", "memory://none", "--data", tmp_path)
    assert (done.exit_code, "no networks in memory://none" in done.stdout) == (0, True)


def test_one_damaged_item_is_a_no(capsys: pytest.CaptureFixture[str]) -> None:
    items = [Verified("a" * 64, "vgg16", None), Verified("b" * 64, "mobilenet", "is gone", {"shards": 2})]
    for as_json in (False, True):
        with pytest.raises(typer.Exit) as ended:
            report(items, nothing="", as_json=as_json)
        assert ended.value.exit_code == 1
    plain, values = capsys.readouterr().out.rsplit("\n", 2)[:2]
    assert plain.splitlines() == ["aaaaaaaaaaaa  vgg16  ok", "bbbbbbbbbbbb  mobilenet  is gone"]
    assert json.loads(values)["verified"][1] == {
        "digest": "b" * 64, "name": "mobilenet", "problem": "is gone", "shards": 2
    }  # fmt: skip
