"""A line that learned from photographs of the bench is shown those of the lathe: it says that it cannot know."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from db.engine import migrate
from producer.contract.answers import VerdictAnswer
from producer.contract.event import new_id
from producer.contract.reasons.models import UNLIKE
from producer.simulation.head import SimulatedHead
from producer.simulation.insert import TRUE_LABELS, Condition
from producer.simulation.rendering import render
from producer.simulation.view import View
from producer.station.station import Station
from tests.forked_commands import run_command
from tests.line_with_station import environment_of, line_with_station
from tests.support import RedisProcess

LEARNED = 120
SHOWN = 30

HEAD = SimulatedHead(1, seed=2)
BENCH = HEAD.station
LATHE = replace(
    BENCH,
    field=BENCH.field * 1.7,
    light_azimuth=-BENCH.light_azimuth,
    light_height=70 - BENCH.light_height / 2,
    backdrop=1 - BENCH.backdrop,
    warmth=BENCH.warmth + 0.8,
)
"""The same inserts in the machine: another scale, another lamp, another background."""


def photographs(view: View, count: int, seed: int) -> Iterator[tuple[bytes, str]]:
    """JPEGs of as many inserts out of one box, half of them damaged, and what each is."""
    rng = np.random.default_rng([seed, 17])
    for number in range(count):
        label = TRUE_LABELS[(0, 1, 0, 2)[number % 4]]
        picture = render(HEAD.box.twin(rng), Condition.random(rng, label), view.again(rng), 256)
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=92)
        yield file.getvalue(), label


@contextmanager
def line_that_learned(
    learned: Iterable[tuple[bytes, str]], tmp_path: Path, redis_server: RedisProcess
) -> Iterator[Station]:
    """A station of a line whose model has learned from these photographs."""
    data, folder = tmp_path / "line", tmp_path / "bench"
    for number, (photograph, label) in enumerate(learned):
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{number}.jpg").write_bytes(photograph)
    data.mkdir()
    migrate.upgrade(f"sqlite:///{data / 'inserts.db'}")
    environment = environment_of(data, redis_server)
    run_command(
        "insert-worker", "train", str(folder), "--promote", environment=environment, timeout=200
    ).check_returncode()
    with line_with_station(data, redis_server, tmp_path) as station:
        yield station


def answers(station: Station, shown: Sequence[bytes], head: str) -> list[VerdictAnswer]:
    captures = [
        station.submit(
            photograph, machine="lathe-1", head=head, pocket=pocket, operation="op-1", check_id=new_id(), check_size=1
        ).capture_id
        for pocket, photograph in enumerate(shown, 1)
    ]
    told = [answer.answer for answer in station.wait_for(captures, 60).values()]
    assert len(told) == len(shown)
    assert all(isinstance(answer, VerdictAnswer) for answer in told)
    return told  # type: ignore[return-value]


def unlike(told: Sequence[VerdictAnswer]) -> float:
    """The share that is unsure because it is unlike anything learnt."""
    assert all(answer.outcome == "unsure" for answer in told if str(answer.reason).startswith(UNLIKE.beginning))
    return float(np.mean([str(answer.reason).startswith(UNLIKE.beginning) for answer in told]))


def unsure(told: Sequence[VerdictAnswer]) -> float:
    return float(np.mean([answer.outcome == "unsure" for answer in told]))


def test_what_it_never_learned_from_is_unsure_with_the_reason(tmp_path: Path, redis_server: RedisProcess) -> None:
    bench, lathe = ([photograph for photograph, _ in photographs(view, SHOWN, seed=2)] for view in (BENCH, LATHE))
    with line_that_learned(photographs(BENCH, LEARNED, seed=1), tmp_path, redis_server) as line:
        as_learned, strange = answers(line, bench, "bench"), answers(line, lathe, "H1")
    assert unlike(as_learned) <= 0.1
    assert unsure(as_learned) <= 0.75
    # Not one guess.
    assert unlike(strange) == unsure(strange) == 1


def test_so_it_is_with_real_photographs(tmp_path: Path, redis_server: RedisProcess, shared: Path) -> None:
    """Inserts of the bench that it has not seen are like what it learned; those in the lathe hardly ever."""
    folder = shared / "data" / "turning-inserts"
    rows = list(csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()))
    sides: dict[bool, list[tuple[bytes, str]]] = {True: [], False: []}
    for row in rows:
        photograph = next(folder.rglob(row["file"])).read_bytes()
        sides["bench" in row["setup"]].append((photograph, row["class"]))
    bench, lathe = sides[True], sides[False]
    with line_that_learned([pair for n, pair in enumerate(bench) if n % 6], tmp_path, redis_server) as line:
        as_learned = answers(line, [photograph for photograph, _ in bench[::6]], "bench")
        strange = answers(line, [photograph for photograph, _ in lathe[::4]], "H1")
    assert unlike(as_learned) <= 0.25
    assert unlike(strange) >= 0.9
    assert unsure(strange) > unsure(as_learned)
