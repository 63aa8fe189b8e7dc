"""`python -m benchmarks.run [NAMES]`: run benchmarks, print each against its target, keep them in var/bench.json.

The file holds name → value, low, high, target, at_least, unit; a run of some keeps what is there of the others. The
exit code is 1 when a target is missed.
"""

import argparse
import fnmatch
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import (
    connect,
    console_boards,
    console_browser,
    console_pages,
    evaluation_gram,
    growth,
    import_producer,
    ingest,
    judging,
    latency,
    line_rate,
    line_while_training,
    measured_wear,
    memory,
    metrics_cost,
    notebook,
    outage_simulation,
    over_notebook,
    plan_against_line,
    plan_figures,
    plan_outage,
    questions,
    reextract,
    remaining_life,
    start,
    svm_gram,
    train_memory,
)
from benchmarks.measure import Benchmark, Measured, measured

BENCHMARKS: dict[str, Benchmark] = {
    each.name: each
    for each in (
        import_producer.BENCHMARK,
        svm_gram.BENCHMARK,
        *line_rate.BENCHMARKS,
        judging.BENCHMARK,
        *over_notebook.BENCHMARKS,
        *notebook.BENCHMARKS,
        *latency.BENCHMARKS,
        *ingest.BENCHMARKS,
        *start.BENCHMARKS,
        *memory.BENCHMARKS,
        *outage_simulation.BENCHMARKS,
        *plan_outage.BENCHMARKS,
        *growth.BENCHMARKS,
        *questions.BENCHMARKS,
        *connect.BENCHMARKS,
        *console_pages.BENCHMARKS,
        *console_browser.BENCHMARKS,
        *console_boards.BENCHMARKS,
        *evaluation_gram.BENCHMARKS,
        *reextract.BENCHMARKS,
        *remaining_life.BENCHMARKS,
        *measured_wear.BENCHMARKS,
        *train_memory.BENCHMARKS,
        *line_while_training.BENCHMARKS,
        metrics_cost.BENCHMARK,
        *plan_figures.BENCHMARKS,
        plan_against_line.BENCHMARK,
    )
}
RESULTS = Path("var") / "bench.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named (all when none is) and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Measure promises about speed.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(BENCHMARKS)}, or a pattern like plan_*; all when none is named",
    )
    parser.add_argument("--samples", type=int, help="how often each is measured; its own number when not given")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"file to keep the figures in [{RESULTS}]")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if not fnmatch.filter(BENCHMARKS, name)]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    if options.samples is not None and options.samples < 1:
        parser.error("--samples must be at least 1")
    results = {}
    chosen = [name for name in BENCHMARKS if any(fnmatch.fnmatch(name, each) for each in options.names or ["*"])]
    for name in chosen:
        benchmark = BENCHMARKS[name]
        print(f"{name}: {benchmark.sentence}", flush=True)
        results[name] = measured(benchmark, options.samples)
        print(f"{name}: {sentence(results[name])}", flush=True)
    keep(options.results, results)
    return 0 if all(result.met for result in results.values()) else 1


def sentence(result: Measured) -> str:
    """One line on a result: median, spread, and whether the target is met where there is one."""
    figure = f"{result.value:.4g} {result.unit} ({result.low:.4g} … {result.high:.4g})"
    if result.target is None:
        return figure
    sign, word = "≥" if result.at_least else "≤", "met" if result.met else "MISSED"
    return f"{figure}, target {sign} {result.target:g}: {word}"


def keep(path: Path, results: dict[str, Measured]) -> None:
    """Merge `results` into the JSON file at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    known |= {name: asdict(result) for name, result in results.items()}
    path.write_text(json.dumps(known, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
