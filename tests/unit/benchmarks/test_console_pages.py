"""The console's benchmarks: each page on both engines, and that every address they ask for is answered."""

import pytest

from benchmarks import console_pages
from benchmarks.console_pages import PAGES
from benchmarks.run import BENCHMARKS


def test_every_page_is_a_benchmark_on_both_engines_with_the_target_of_the_issue():
    for page in PAGES:
        for engine in ("postgresql", "sqlite"):
            benchmark = BENCHMARKS[f"console_{page}_{engine}_p95_ms"]
            assert (benchmark.target, benchmark.at_least, benchmark.unit) == (100, False, "ms")
    targets = {"console_next_image_ms": 100, "console_live_ms": 1000, "console_boards_percent": 5}
    assert {name: BENCHMARKS[name].target for name in targets} == targets


def test_every_page_is_asked_for_in_each_of_its_kinds(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(console_pages, "WARM_UP", 0)
    monkeypatch.setattr(console_pages, "ASKS", max(len(kinds) for kinds in PAGES.values()))
    console_pages.main(["sqlite", "--verdicts", "600", "--samples", "1", "--folder", str(tmp_path)])
    shown = capsys.readouterr().out
    for page in PAGES:
        assert f"  {page}, sqlite, 600 verdicts: p50 " in shown
        assert f"\n{page}: p95 " in shown
    assert shown.count("    of processor time: p50 ") == len(PAGES)


@pytest.mark.parametrize("options", [["--verdicts", "0"], ["--samples", "0"], ["weather"]])
def test_the_command_refuses_what_says_nothing(options, capsys):
    with pytest.raises(SystemExit):
        console_pages.main(["sqlite", *options])
    assert "error: " in capsys.readouterr().err
