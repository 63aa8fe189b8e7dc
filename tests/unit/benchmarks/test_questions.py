from itertools import islice
from pathlib import Path

import pytest

from benchmarks import questions, stored_plants
from benchmarks.question_kinds import KINDS
from benchmarks.run import BENCHMARKS
from db.engine.database import Database

VERDICTS = 600
"""Of everything some: fewer have no head that is asked for its history."""


def test_every_question_is_a_benchmark_on_both_engines_with_the_target_of_the_issue():
    names = {f"query_{question}_{engine}_p95_ms" for question in KINDS for engine in ("postgresql", "sqlite")}
    assert names <= BENCHMARKS.keys()
    for name in names:
        benchmark = BENCHMARKS[name]
        assert (benchmark.target, benchmark.at_least, benchmark.unit) == (50, False, "ms")
    assert KINDS.keys() == {"verdicts", "checks", "replace", "history", "review_queue"}
    assert questions.ASKS >= 200


@pytest.mark.parametrize("options", [["--verdicts", "0"], ["--samples", "0"], ["weather"]])
def test_the_command_refuses_what_says_nothing(options, capsys):
    with pytest.raises(SystemExit):
        questions.main(["sqlite", *options])
    assert "error: " in capsys.readouterr().err


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plants")


def test_every_question_is_asked_in_every_kind_and_the_plant_is_generated_once(folder, capsys, monkeypatch):
    monkeypatch.setattr(questions, "ASKS", max(len(kinds) for kinds in KINDS.values()))
    asking = ["sqlite", "--verdicts", str(VERDICTS), "--samples", "1", "--folder", str(folder)]
    questions.main(asking)
    shown = capsys.readouterr().out
    assert shown.count(f"generating {VERDICTS} verdicts for sqlite") == 1
    for question in KINDS:
        assert f"  {question}, sqlite, {VERDICTS} verdicts: p50 " in shown
        assert f"\n{question}: p95 " in shown
    [place] = folder.iterdir()
    questions.main(["sqlite", "history", *asking[1:]])
    assert "generating" not in capsys.readouterr().out
    assert list(folder.iterdir()) == [place]


def test_a_seed_draws_the_same_questions(folder):
    with stored_plants.plant("sqlite", VERDICTS, folder) as url:
        database = Database(url)
        first, again = ([kind for kind, _ in questions.milliseconds(database, "checks", 4, asks=50)] for _ in range(2))
        database.close()
    assert first == again
    assert set(first) == set(KINDS["checks"]), "each kind as often as the others"


def test_what_was_not_finished_or_made_otherwise_is_generated_anew(tmp_path, monkeypatch, capsys):
    with stored_plants.plant("sqlite", 300, tmp_path) as url:
        pass
    [place] = tmp_path.iterdir()
    (place / "complete").unlink()
    (place / "left").touch()
    with stored_plants.plant("sqlite", 300, tmp_path):
        assert not (place / "left").exists()
    monkeypatch.setattr(stored_plants, "_generator", lambda: "another")
    with stored_plants.plant("sqlite", 300, tmp_path) as changed:
        assert changed != url
    assert [each.name for each in tmp_path.iterdir()] == ["sqlite-300-another"]
    assert capsys.readouterr().out.count("generating") == 3


def test_root_is_told_that_postgresql_cannot_reach_a_folder(tmp_path: Path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(stored_plants.os, "geteuid", lambda: 0)
    with (
        pytest.raises(OSError, match="choose another folder"),
        stored_plants.plant("postgresql", 10, closed / "plants"),
    ):
        pass
    assert list(islice(closed.glob("plants/*/cluster"), 1)) == []
