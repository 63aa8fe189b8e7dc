"""What judging one photograph costs: decoding, all checks of the capture, the network, and the model's judgement.

The product's own judge, in one process and without a queue, at a station that knows what is usual there: its history of
good photographs is in the database, and so are empty pockets that a person reviewed. The model has all that a
trained one has: a calibration, a band, as many learnt photographs as are ever kept, a finer label, and evidence.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from benchmarks import fixed_camera
from benchmarks.line import event_of, put_in_charge, random_model
from benchmarks.materials import SIZE
from benchmarks.measure import Benchmark
from benchmarks.networks import STORE, network
from db.engine import migrate
from db.engine.database import Database
from db.learning import reviews
from db.line.captures import Arrival, arrive
from db.line.verdicts import record_all
from producer.contract.event import CaptureEvent, new_id
from producer.contract.vocabulary import DAMAGE_KINDS
from producer.delivery.grouping import DEFAULT_GROUP
from producer.runtime.arrays import Float32Array
from producer.simulation.head import labelled_images
from worker.images.decoding import decode_photograph
from worker.images.measurements import measure
from worker.line.blurred_or_dark import FEWEST
from worker.line.child import active_models
from worker.line.judging import ImageToJudge, Judge
from worker.line.mapping import capture_of, image_to_judge, verdict_of
from worker.line.stations import EXAMPLES, Stations
from worker.models.calibration import Calibration
from worker.models.costs import Costs
from worker.models.line_model import Judgement
from worker.models.linear_svm import LinearModel
from worker.models.novelty import MOST_KEPT, Novelty, learnt_novelty
from worker.models.unsure_band import band
from worker.monitoring.reports import ChildMetrics
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.networks.loaded_network import Network
from worker.settings import WorkerSettings

ROUNDS: Final = 4
"""How often all photographs are judged for one sample, in turn with decoding and network alone."""


def milliseconds(
    samples: int, images: Sequence[bytes] | None = None, backbone: str = DEFAULT_BACKBONE, store: Path = STORE
) -> list[float]:
    """`samples` times the milliseconds of processor time that judging a photograph takes, in messages of a head.

    Prints beside it what decoding and the network alone take, on the same photographs in the same seconds.
    """
    images, through = images or photographs(), network(backbone, store)
    costs = []
    # As in a worker's processes (`worker.runtime.process.compute_in_one_thread`).
    with threadpool_limits(1, user_api="blas"), _line(through, images, store) as (judge, shown):
        _check(judge.judge_all(shown))
        for _ in range(samples):
            judged, bare = np.mean(
                [[_seconds(judge.judge_all, shown), _seconds(through_alone(through), shown)] for _ in range(ROUNDS)],
                axis=0,
            )
            print(
                f"  {1000 * judged:.2f} ms, decoding and network alone {1000 * bare:.2f} ms: {judged / bare:.2f} times",
                flush=True,
            )
            costs.append(1000 * float(judged))
    return costs


@cache
def photographs(count: int = 32) -> tuple[bytes, ...]:
    """JPEGs of one station, `SIZE` pixels a side, every second insert damaged: others would be unlike its own."""
    return tuple(image for image, _ in labelled_images(count, seed=1, size=SIZE, head=1))


def through_alone(through: Network) -> Callable[[Sequence[ImageToJudge]], object]:
    """Decoding and one network, of a message's photographs."""
    return lambda message: through.features_of(
        np.stack([decode_photograph(photograph.data, through.input_size).pixels for photograph in message])
    )


def _seconds(work: Callable[[Sequence[ImageToJudge]], object], shown: Sequence[ImageToJudge]) -> float:
    """Processor seconds of one photograph, of all threads of this process."""
    began = time.process_time()
    for first in range(0, len(shown), DEFAULT_GROUP):
        work(shown[first : first + DEFAULT_GROUP])
    return (time.process_time() - began) / len(shown)


def _check(judgements: Sequence[Judgement]) -> None:
    """Raise `ValueError` where a part of judging was left out, since then the figure would say too little."""
    refused = {judgement.reason for judgement in judgements if judgement.decision is None}
    explained = sum(judgement.evidence is not None for judgement in judgements)
    if refused or not explained:
        raise ValueError(f"not all was judged ({refused}), or nothing explained ({explained} of {len(judgements)})")


@contextmanager
def _line(through: Network, images: Sequence[bytes], store: Path) -> Iterator[tuple[Judge, list[ImageToJudge]]]:
    """A judge with a model in charge and a station that it knows, and the photographs that this station takes."""
    with tempfile.TemporaryDirectory(prefix="bench-judging-") as folder:
        settings = WorkerSettings(data=Path(folder), networks=str(store.absolute()))
        migrate.upgrade(settings.url)
        features = np.concatenate([through_alone(through)([ImageToJudge(image)]) for image in images])
        parts = {"calibration": Calibration(1.0, 0.0), "band": band(Costs()), "novelty": _novelty(features)}
        first = _in_the_middle(random_model(through.feature_size), features)
        kind = LinearModel(DAMAGE_KINDS, first.coef[:, ::-1].copy(), np.zeros(1))
        put_in_charge(settings, through, first, kind=kind, **parts)
        with closing(Database(settings.url)) as database:
            models, metrics = active_models(settings, database), ChildMetrics()
            _remember(database, Judge(models, metrics), images)
            events = _events(len(images))
            shown = [image_to_judge(event, image) for event, image in zip(events, images, strict=True)]
            yield Judge(models, metrics, Stations(database)), shown


def _in_the_middle(model: LinearModel, features: Float32Array) -> LinearModel:
    """The same model, but that it calls half of these photographs damaged."""
    middle = np.median(model.decision(features), axis=0)
    return LinearModel(model.classes, model.coef, model.intercept - middle)


def _novelty(features: Float32Array) -> Novelty | None:
    """As many learnt photographs as are ever kept: these, and more that differ a little."""
    rows = np.resize(features, (MOST_KEPT, features.shape[1]))
    spread = 0.1 * features.std(axis=0) * np.random.default_rng(0).standard_normal(rows.shape, np.float32)
    return learnt_novelty(rows + spread, np.arange(MOST_KEPT))


def _remember(database: Database, judge: Judge, images: Sequence[bytes]) -> None:
    """Keep what a station's photographs looked like: `FEWEST` good ones, and empty pockets that were reviewed."""
    good = judge.judge_all([ImageToJudge(image) for image in islice(cycle(images), FEWEST)])
    rng, now = np.random.default_rng(0), datetime.now(UTC)
    with Image.open(io.BytesIO(images[0])) as image:
        empty = [fixed_camera.without_insert(image.convert("RGB"), rng).resize((224, 224)) for _ in range(EXAMPLES)]
    judgements = [*good, *(Judgement("unsure", seen=measure(np.asarray(picture))) for picture in empty)]
    events = _events(len(judgements))
    with database.transaction() as session:
        arrive(session, [Arrival(capture_of(event), now, tried=True) for event in events])
        rows = [verdict_of(event, judgement, now) for event, judgement in zip(events, judgements, strict=True)]
        record_all(session, rows)
        for event in events[len(good) :]:
            reviews.add(session, capture_id=event.capture_id, label="unusable", by="benchmark", at=now)


def _events(count: int) -> list[CaptureEvent]:
    return [event_of("a/b.jpg", "0" * 64, new_id()) for _ in range(count)]


BENCHMARK = Benchmark(
    name="judge_ms",
    sentence="processor time of one photograph: decoding, all checks of the capture, the default network, judgement",
    unit="ms",
    target=9,
    at_least=False,
    measure=milliseconds,
)
