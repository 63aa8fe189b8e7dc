import pytest

from benchmarks.plan_outage import _shown, main
from worker.planning.outage import after_outage


def test_what_is_planned_is_shown_in_words():
    assert _shown(after_outage(80, 24, 0.3, 0.04)) == "34 s"
    assert _shown(after_outage(3600, 24, 1.0, 0.04)) == "never"


def test_it_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert "--outage" in capsys.readouterr().out
