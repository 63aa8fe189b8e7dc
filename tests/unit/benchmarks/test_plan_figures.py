import json
from dataclasses import asdict

from benchmarks import plan_figures, run
from benchmarks.materials import photographs
from benchmarks.plan_figures import BACKBONES
from benchmarks.run import BENCHMARKS
from worker.planning.measurements import read


def test_what_make_bench_keeps_is_all_that_a_plan_needs(tmp_path, monkeypatch, capsys):
    fakes = {
        name: type(each)(**{**vars(each), "measure": lambda samples: [2.0] * samples})
        for name, each in BENCHMARKS.items()
        if name.startswith("plan_") and name != "plan_against_line"
    }
    monkeypatch.setattr(run, "BENCHMARKS", fakes)
    results = tmp_path / "bench.json"
    assert run.main(["plan_*", "--results", str(results)]) == 0
    for backbone in BACKBONES:
        figures = asdict(read(results, backbone, {}))
        assert figures["worker"]["per_second"] == figures["redis"]["aof_bytes"] == 2.0
    assert json.loads(results.read_text())["plan_cores"]["target"] is None
    assert "plan_cores: 2 cores (2 … 2)\n" in capsys.readouterr().out


def test_the_figures_of_the_machine_are_at_hand(monkeypatch):
    monkeypatch.setattr(plan_figures, "photographs", lambda: photographs(2))
    found = plan_figures.of_machine(1)
    assert found["cores"][0] >= 1
    assert 1e4 < found["image_bytes"][0] < 1e6


def test_the_plan_s_promise_can_be_measured():
    assert (BENCHMARKS["plan_against_line"].target, BENCHMARKS["plan_against_line"].at_least) == (1.5, False)
