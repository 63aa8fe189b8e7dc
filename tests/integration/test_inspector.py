"""A message's path through the worker, on a real Redis and both databases; only the network is a small fake."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import itertools
import json
import shutil
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import structlog
from PIL import Image, ImageDraw
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

import db.line.faults
from benchmarks.wear import Scene, drawn
from db.engine import write_ahead_log
from db.engine.database import Database
from db.engine.sqlite_read_only import wal_of
from db.engine.url import sqlite_file, sqlite_url
from db.learning import model_registry, remaining_lives, reviews
from db.learning.remaining_lives import LifeFit, RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.line import attempts, checks, shadow_verdicts, verdicts
from db.queries import replace_list
from db.schema.tables import Faults
from producer.contract.answers import ANSWERS, CheckAnswer, FaultAnswer, Remaining, VerdictAnswer
from producer.contract.event import INSPECT_QUEUE, Region, new_id
from producer.contract.plant_event import PLANT_STREAM
from producer.contract.plant_news import PLANT_ANSWERS, Hold
from producer.contract.vocabulary import DAMAGE_KINDS
from producer.storage.folder import FolderStore
from tests.database_support import shadows_of
from tests.support import RedisProcess, next_of, photograph, stored_event, wait_until
from worker.broker.messages import MessageSender
from worker.features.extraction import read_image
from worker.line.active_models import ModelPair
from worker.line.attempts import IMAGE_TRIES, MAX_ATTEMPTS
from worker.line.events import CAPTURES_AT_ONCE
from worker.line.inspector import Inspector
from worker.line.judging import ImageToJudge, Judge
from worker.line.notifier import Notifier
from worker.line.plant_news import PlantNewsWatch
from worker.line.requeue import RequeueWatch
from worker.models.calibration import Calibration
from worker.models.line_model import LINE_CLASSES, Judgement, LineModel
from worker.models.linear_svm import LinearModel
from worker.models.registry import ActiveModel
from worker.models.unsure_band import Band
from worker.monitoring.metrics import WorkerMetrics


class MeanBrightness:
    """A network of one feature. Counts its forward passes."""

    input_size = (8, 8)
    passes = 0

    def features_of(self, images: Any) -> Any:
        self.passes += len(images)
        return np.mean(images, axis=(1, 2, 3), dtype=np.float32)[:, None]


BRIGHT_IS_DAMAGED = LineModel("bright", LinearModel(LINE_CLASSES, np.ones((1, 1), np.float32), np.array([-128.0])))

CALIBRATED = replace(
    BRIGHT_IS_DAMAGED,
    calibration=Calibration(0.1, 0.0),
    band=Band(0.05, 0.2, 0.8),
    kind=LinearModel(DAMAGE_KINDS, np.ones((1, 1), np.float32), np.array([-200.0])),
)
"""Sure of worn inserts and intact ones, and unsure in between."""

DARK_IS_DAMAGED = LineModel("dark", LinearModel(LINE_CLASSES, -np.ones((1, 1), np.float32), np.array([128.0])))


class Line:
    def __init__(self, database: Database, redis_server: RedisProcess, images: Path):
        self.database = database
        images.mkdir(exist_ok=True)  # as the first station did: where there is none a worker waits for its share
        self.store = FolderStore(images)
        self.network = MeanBrightness()
        self.model: LineModel | None = BRIGHT_IS_DAMAGED
        self.shadow: LineModel | None = None
        self.forms = frozenset({"box"})
        self.judge_hook: Callable[[bytes, Region | None], Judgement] = self.judge_well
        with database.transaction() as session:
            model_registry.register(session, model_row("bright"))
            model_registry.register(session, model_row("dark"))
        self.redis = redis_server.client()
        self.redis_url = redis_server.url
        self.inspector = self.worker()

    def worker(self, metrics: WorkerMetrics | None = None, database: Database | None = None) -> Inspector:
        return Inspector(
            database or self.database,
            self.store,
            self,  # type: ignore[arg-type]
            Notifier(self.redis_url),
            MessageSender(self.redis_url),
            metrics or WorkerMetrics(),
        )

    @property
    def model_in_charge(self) -> str | None:
        return None

    def judge(self, image: bytes, region: Region | None) -> Judgement:
        return self.judge_hook(image, region)

    def judge_all(self, images: list[ImageToJudge]) -> list[Judgement]:
        return [self.judge(image.data, image.region) for image in images]

    def judge_well(self, image: bytes, region: Region | None) -> Judgement:
        return Judge(self, WorkerMetrics()).judge(image, region)  # type: ignore[arg-type]

    def current(self) -> ModelPair:
        network: Any = self.network
        return ModelPair(*(each and ActiveModel(each, network, self.forms) for each in (self.model, self.shadow)))

    def take_up_requeued(self) -> int:
        """Handle the requeued faults there are; how many there were."""
        RequeueWatch(self.database, MessageSender(self.redis_url)).turn()
        return self.work()

    def waiting(self) -> list[dict[str, Any]]:
        """The messages on the queue, the next one first."""
        return [json.loads(raw) for raw in reversed(self.redis.lrange(INSPECT_QUEUE, 0, -1))]

    def work(self, at_most: int = 1000) -> int:
        """Handle what is on the queue, whatever it should wait for; how many messages there were."""
        done = 0
        while done < at_most and (raw := self.redis.rpop(INSPECT_QUEUE)) is not None:
            headers = json.loads(raw)["headers"]
            self.inspector.inspect(carried(json.loads(raw)), message_id=headers["id"], retries=headers["retries"])
            done += 1
        return done

    def attempts(self, event: Any) -> int:
        with self.database.reading() as session:
            return attempts.of(session, event.capture_id)

    def answers(self, station: str = "station-1") -> list[Any]:
        return [ANSWERS.validate_json(fields["answer"]) for _, fields in self.redis.xrange(f"verdicts:{station}")]

    def faults(self) -> list[db.line.faults.Fault]:
        with self.database.reading() as session:
            return db.line.faults.search(session)

    def verdict_of(self, event: Any) -> verdicts.Verdict | None:
        with self.database.reading() as session:
            return verdicts.current(session, event.capture_id)

    def shadows_of(self, event: Any) -> list[shadow_verdicts.ShadowVerdict]:
        """What shadows said."""
        with self.database.reading() as session:
            return shadows_of(session, event.capture_id)


def carried(message: dict[str, Any]) -> Any:
    """What a message of the worker's own making carries."""
    return json.loads(json.loads(base64.b64decode(message["body"]))[0][0])


def fail(data: bytes, region: object) -> Judgement:
    raise RuntimeError("poison")


def model_row(name: str) -> model_registry.Model:
    return model_registry.Model(name, "fake", "0" * 64, datetime.now(UTC), LINE_CLASSES, 2, {}, name, "0" * 64)


@pytest.fixture
def line(database: Database, redis_server: RedisProcess, tmp_path: Path) -> Line:
    return Line(database, redis_server, tmp_path / "images")


def test_what_is_logged_about_a_capture_names_it_also_when_it_fails(line: Line) -> None:
    good, bad = (stored_event(line.store, photograph(seed=seed)) for seed in (1, 2))
    photo = line.store.get(bad.image, 10**6)
    line.judge_hook = lambda data, region: (fail if data == photo else line.judge_well)(data, region)
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        line.inspector.inspect([good.message(), bad.message()])
    (judged,) = [each for each in logs if each["event"] == "judged"]
    assert (judged["capture"], judged["check"]) == (str(good.capture_id), str(good.check_id))
    assert judged["model"] == "bright"
    (failed,) = [each for each in logs if each["log_level"] == "error"]
    assert (failed["capture"], failed["check"]) == (str(bad.capture_id), str(bad.check_id))
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize(("brightness", "outcome"), [(70, "intact"), (190, "damaged")])
def test_a_capture_becomes_a_committed_verdict_and_an_answer(line: Line, brightness: int, outcome: str) -> None:
    event = stored_event(line.store, photograph(brightness))
    line.inspector.inspect(event.message())
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert (verdict.outcome, verdict.model_id) == (outcome, "bright")
    told, check = line.answers()
    assert isinstance(told, VerdictAnswer)
    assert (told.capture_id, told.outcome, told.pocket, told.model) == (event.capture_id, outcome, 7, "bright")
    assert told.judged_at == verdict.judged_at
    assert isinstance(check, CheckAnswer)
    assert check.state == {"intact": "go", "damaged": "replace"}[outcome]
    assert check.replace == ([] if outcome == "intact" else [7])


def test_the_plant_hears_how_long_an_intact_insert_lasts_and_its_station_nothing_new(line: Line) -> None:
    now, curve = datetime.now(UTC), SurvivalCurve(tuple(number + 0.5 for number in range(15)))
    events = [
        stored_event(line.store, photograph(brightness), operations_on_edge=done, check_id=str(new_id()))
        for brightness, done in ((70, 4), (70, 6), (70, 1), (70, None), (190, 5))
    ]
    place = (events[0].machine, events[0].head, events[0].pocket)
    life = RemainingLife(*place, age=4, lives=9, as_of=now, curve=curve, new=curve)
    with line.database.transaction() as session:
        remaining_lives.store(session, LifeFit(now, 20, 12, 10, curve, 0.1), [life], [])
    for event in events:
        line.inspector.inspect(event.message())
    plant = [ANSWERS.validate_json(fields["answer"]) for _, fields in line.redis.xrange("answers")]
    said = [answer.remaining for answer in plant if isinstance(answer, VerdictAnswer)]
    assert said[0] == Remaining(operations=8, low=3, high=12, lives=9)
    assert said[1] is not None
    assert said[1].operations < 8, "it has done two operations more"
    assert said[2:] == [None] * 3, "a count that fell, none, and a damaged insert"
    assert all(getattr(answer, "remaining", None) is None and answer.schema_version < 3 for answer in line.answers())


def test_the_strip_along_an_edge_is_judged_and_learned_from_as_it_was_seen(line: Line) -> None:
    pixels = Image.new("RGB", (200, 150), (60, 60, 60))
    ImageDraw.Draw(pixels).line([30, 110, 170, 70], (210, 200, 190), 20)  # bright along a slanted edge alone
    file = io.BytesIO()
    pixels.save(file, "PNG")
    region = {"x1": 40, "y1": 107, "x2": 160, "y2": 73, "above": 12, "below": 12}
    whole, strip, learnt = (
        stored_event(line.store, file.getvalue(), schema_version=3, check_id=str(new_id()), **changes)
        for changes in ({}, {"region": region}, {"region": region})
    )
    line.inspector.inspect([whole.message(), strip.message()])
    line.forms = frozenset({"box", "edge"})
    line.inspector.inspect(learnt.message())
    seen = [line.verdict_of(event) for event in (whole, strip, learnt)]
    assert [verdict and verdict.outcome for verdict in seen] == ["intact", "unsure", "damaged"]
    assert seen[1] is not None
    assert "has not learned from photographs that are cut to the strip" in str(seen[1].reason)
    with line.database.transaction() as session:
        reviews.add(session, capture_id=learnt.capture_id, label="worn", by="ana", at=datetime.now(UTC))
        (item,) = reviews.labelled(session)
    assert item.region == region
    features = line.network.features_of(read_image(item, line.store, line.network.input_size)[None])
    assert seen[2] is not None
    assert seen[2].decision == pytest.approx(float(features[0, 0]) - 128)


def test_a_wear_land_is_kept_with_its_verdict_in_pixels_with_their_scale(line: Line) -> None:
    worn = drawn(Scene(), 1)
    pixels = io.BytesIO()
    Image.open(io.BytesIO(worn.data)).save(pixels, "PNG")  # a JPEG would be reduced to what this small network sees
    region = worn.edge.model_dump()
    scaled, plain, whole = (
        stored_event(line.store, pixels.getvalue(), schema_version=version, check_id=str(new_id()), **changes)
        for version, changes in (
            (4, {"region": region | {"pixels_per_mm": 50.0}}),
            (3, {"region": region}),
            (3, {}),
        )
    )
    line.inspector.inspect([event.message() for event in (scaled, plain, whole)])
    seen = [line.verdict_of(event) for event in (scaled, plain, whole)]
    truth = worn.truth()
    for verdict, scale in zip(seen[:2], (50.0, None), strict=True):
        assert verdict is not None
        assert verdict.wear_mean == pytest.approx(truth.mean, rel=0.1)
        assert verdict.wear_p90 == pytest.approx(truth.p90, rel=0.1)
        assert verdict.wear_max == pytest.approx(truth.maximum, rel=0.1)
        assert verdict.wear_length == pytest.approx(truth.length, rel=0.1)
        assert verdict.pixels_per_mm == scale
    assert seen[2] is not None
    assert seen[2].wear_mean is None


@pytest.mark.parametrize(
    ("brightness", "outcome", "label"), [(70, "intact", None), (130, "unsure", None), (190, "damaged", "worn")]
)
def test_probability_and_label_reach_the_database(line: Line, brightness: int, outcome: str, label: str | None) -> None:
    line.model = CALIBRATED
    event = stored_event(line.store, photograph(brightness))
    line.inspector.inspect(event.message())
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert (verdict.outcome, verdict.label) == (outcome, label)
    assert verdict.decision is not None
    assert verdict.probability == pytest.approx(Calibration(0.1, 0.0).probability(verdict.decision))
    with line.database.reading() as session:
        (row,) = verdicts.search(session)
    assert (row.label, row.probability) == (label, verdict.probability)
    assert (line.answers()[0].outcome, line.answers()[0].label) == (outcome, label)


def test_a_shadow_judges_alongside_and_the_line_never_sees_it(line: Line) -> None:
    line.shadow = replace(DARK_IS_DAMAGED, calibration=Calibration(0.1, 0.0))
    event = stored_event(line.store, photograph(190))
    for _ in range(2):
        line.inspector.inspect(event.message())
    assert line.network.passes == 1
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert (verdict.outcome, verdict.model_id) == ("damaged", "bright")
    (beside,) = line.shadows_of(event)
    assert (beside.model_id, beside.outcome, beside.judged_at) == ("dark", "intact", verdict.judged_at)
    assert beside.decision == pytest.approx(-(verdict.decision or 0))
    assert beside.probability == pytest.approx(Calibration(0.1, 0.0).probability(beside.decision or 0))
    with line.database.reading() as session:
        assert verdicts.count(session) == 1
    told, check = line.answers()[:2]
    assert (told.outcome, told.model, check.state) == ("damaged", "bright", "replace")
    assert "dark" not in line.redis.xrange("verdicts:station-1")[0][1]["answer"]


@pytest.mark.parametrize("fails", ["judging", "keeping"])
def test_a_shadow_that_fails_costs_the_line_nothing(line: Line, fails: str) -> None:
    blind = LineModel("dark", LinearModel(LINE_CLASSES, np.ones((1, 5), np.float32), np.zeros(1)))
    line.shadow = blind if fails == "judging" else replace(DARK_IS_DAMAGED, model_id="never registered")
    events = [stored_event(line.store, photograph(190, number)) for number in range(6)]
    line.inspector.inspect([event.message() for event in events])
    for event in events:
        verdict = line.verdict_of(event)
        assert verdict is not None
        assert (verdict.outcome, verdict.model_id) == ("damaged", "bright")
        assert line.shadows_of(event) == []
    assert len([answer for answer in line.answers() if isinstance(answer, VerdictAnswer)]) == 6
    assert line.faults() == []


def test_without_a_champion_a_shadow_has_nothing_to_judge_beside(line: Line) -> None:
    line.model, line.shadow = None, DARK_IS_DAMAGED
    event = stored_event(line.store, photograph())
    line.inspector.inspect(event.message())
    assert line.shadows_of(event) == []
    assert line.network.passes == 0


def test_a_person_s_word_stands_above_the_verdict_in_what_a_station_is_told(line: Line) -> None:
    check = str(new_id())
    first, second = (
        stored_event(line.store, photograph(190 if pocket == 1 else 70), pocket=pocket, check_id=check, check_size=2)
        for pocket in (1, 2)
    )
    line.inspector.inspect(first.message())
    with line.database.transaction() as session:
        reviews.add(session, capture_id=first.capture_id, label="intact", by="ana", at=datetime.now(UTC))
    line.inspector.inspect(second.message())
    answer = line.answers()[-1]
    assert isinstance(answer, CheckAnswer)
    assert (answer.state, answer.replace) == ("go", [])


def test_without_a_model_a_person_decides(line: Line) -> None:
    line.model = None
    event = stored_event(line.store, photograph())
    line.inspector.inspect(event.message())
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert (verdict.outcome, verdict.model_id, verdict.reason) == ("unsure", None, "there is no model yet")
    assert line.answers()[1].state == "review"
    assert line.network.passes == 0


def test_the_same_event_again_is_confirmed_again_and_costs_no_forward_pass(line: Line) -> None:
    event = stored_event(line.store, photograph(190))
    for _ in range(3):
        line.inspector.inspect(event.message())
    assert line.network.passes == 1
    told = [answer for answer in line.answers() if isinstance(answer, VerdictAnswer)]
    assert len(told) == 3
    assert len(set(told)) == 1
    with line.database.reading() as session:
        assert verdicts.count(session) == 1


def test_the_same_event_many_times_at_once_has_one_verdict(line: Line) -> None:
    event = stored_event(line.store, photograph(190))
    at_once = threading.Barrier(8)

    def deliver() -> None:
        worker = line.worker()
        at_once.wait()
        worker.inspect(event.message())

    run_all([deliver] * 8)
    with line.database.reading() as session:
        assert verdicts.count(session) == 1
    assert {answer.outcome for answer in line.answers() if isinstance(answer, VerdictAnswer)} == {"damaged"}


class Counting(Database):
    """A database that notes its transactions: whether each waited for the disk."""

    def __init__(self, url: str):
        super().__init__(url)
        self.transactions: list[bool] = []
        self.readings = 0

    def transaction(self, *, synced: bool = True) -> Any:
        self.transactions.append(synced)
        return super().transaction(synced=synced)

    def reading(self) -> Any:
        self.readings += 1
        return super().reading()


def test_a_message_of_several_captures_is_two_transactions(line: Line) -> None:
    counting = Counting(line.database.url)
    check = str(new_id())
    group = [
        stored_event(line.store, photograph(190, pocket), pocket=pocket, check_id=check, check_size=8)
        for pocket in range(1, 9)
    ]
    line.worker(database=counting).inspect([event.message() for event in group])
    assert (counting.transactions, counting.readings) == ([False, True], 0), "only verdicts wait for the disk"
    counting.close()
    answers = line.answers()
    assert [answer.capture_id for answer in answers[:-1]] == [event.capture_id for event in group]
    assert (answers[-1].kind, answers[-1].state) == ("check", "replace")


def test_an_answer_is_sent_for_what_is_on_disk(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut leaves at least what is in the files when they are synced: they are copied just then."""
    file = sqlite_file(line.database.url)
    if file is None:
        pytest.skip("PostgreSQL syncs by itself")
    events = [stored_event(line.store, photograph(190, number)) for number in range(3)]
    on_disk, said = tmp_path / "on-disk", list[int]()

    def sync(_: int) -> None:
        shutil.rmtree(on_disk, ignore_errors=True)
        on_disk.mkdir()
        for part in (file, wal_of(file)):
            shutil.copy(part, on_disk)
        said.append(len(line.answers()))

    monkeypatch.setattr(write_ahead_log, "_SYNC", sync)
    line.inspector.inspect([event.message() for event in events])
    assert (said, len(line.answers())) == ([0], 6), "of each capture and its check, after the disk had them"
    left = Database(sqlite_url(on_disk / file.name))
    with left.reading() as session:
        assert verdicts.count(session) == 3
    left.close()
    line.inspector.inspect(events[0].message())
    assert (said, len(line.answers())) == ([0, 6], 8), "what another process has committed may not be on disk yet"


def test_whatever_is_wrong_with_one_of_a_message_costs_only_itself(line: Line) -> None:
    good = [stored_event(line.store, photograph(190, number)) for number in range(3)]
    missing = stored_event(line.store, None)
    corrupt = stored_event(line.store, b"not an image")
    other = stored_event(line.store, photograph(), image_sha256="0" * 64)
    broken = {**good[0].message(), "capture_id": str(new_id()), "pocket": "7"}
    group: list[object] = [event.message() for event in (good[0], missing, corrupt, good[1], other, good[2], good[0])]
    line.inspector.inspect([*group, broken, None, [], "text"])
    assert [line.verdict_of(event) is not None for event in good] == [True] * 3
    (waiting,) = line.waiting()
    assert (carried(waiting), waiting["headers"]["retries"]) == (missing.message(), 1)
    unusable = line.verdict_of(corrupt)
    assert unusable is not None
    assert unusable.outcome == "unusable"
    reasons = [fault.reason for fault in line.faults()]
    assert sorted(reasons) == ["digest_mismatch", *["invalid_event"] * 4]
    assert len([each for each in line.answers() if isinstance(each, VerdictAnswer)]) == 4


def test_a_message_of_very_many_captures_is_done_in_parts(line: Line) -> None:
    events = [stored_event(line.store, photograph(190, number)) for number in range(2 * CAPTURES_AT_ONCE + 3)]
    line.inspector.inspect([event.message() for event in events])
    assert all(line.verdict_of(event) for event in events)
    assert line.faults() == []


def test_a_head_that_is_shown_again_in_one_message_is_no_go_between_the_parts(line: Line) -> None:
    """The first part comes with the earlier photographs of the others to a whole check."""
    check, size, seeds = str(new_id()), CAPTURES_AT_ONCE + 4, count()

    def show(damaged: int) -> None:
        events = [
            stored_event(
                line.store,
                photograph(190 if pocket == damaged else 70, next(seeds)),
                pocket=pocket,
                check_id=check,
                check_size=size,
            )
            for pocket in range(1, size + 1)
        ]
        line.inspector.inspect([event.message() for event in events])

    show(2)
    show(size)
    states = [(answer.state, answer.replace) for answer in line.answers() if isinstance(answer, CheckAnswer)]
    assert states == [("replace", [2]), ("replace", [size])]


def test_a_check_is_answered_when_its_last_insert_is_judged(line: Line) -> None:
    check = str(new_id())
    brightness = {1: 70, 2: 190, 3: 70, 4: 190}
    events = [
        stored_event(line.store, photograph(value, pocket), pocket=pocket, check_id=check, check_size=5)
        for pocket, value in brightness.items()
    ]
    events.append(stored_event(line.store, b"not an image", pocket=5, check_id=check, check_size=5))
    for event in events[:-1]:
        line.inspector.inspect(event.message())
    assert not [answer for answer in line.answers() if isinstance(answer, CheckAnswer)]
    line.inspector.inspect(events[-1].message())
    (answer,) = [answer for answer in line.answers() if isinstance(answer, CheckAnswer)]
    assert (answer.state, answer.replace, answer.review) == ("replace", [2, 4], [5])


def test_a_station_is_told_no_go_of_a_pocket_that_nobody_saw_and_why(line: Line) -> None:
    """Events of one check that disagree about its size, and then about its head."""

    def tell(pocket: int, size: int, **changes: Any) -> list[tuple[str, int, str | None]]:
        image = photograph(70, next(numbers))
        event = stored_event(line.store, image, pocket=pocket, check_id=check, check_size=size, **changes)
        line.inspector.inspect(event.message())
        answers = [answer for answer in line.answers() if isinstance(answer, CheckAnswer)]
        return [(answer.state, answer.size, answer.reason) for answer in answers]

    numbers, check = itertools.count(1), str(new_id())
    assert tell(1, 2) == []
    assert tell(3, 3) == [], "the larger size counts, and nobody saw pocket 2"
    assert tell(2, 2) == [("go", 3, None)]
    assert tell(2, 3, head="another")[1:] == [("review", 3, "contradiction: pocket 2 of head another")]


def test_one_picture_in_files_of_other_bytes_is_no_go_of_two_pockets(line: Line) -> None:
    picture, told, check = Image.open(io.BytesIO(photograph(70, 3))).convert("RGB"), list[object](), str(new_id())
    for pocket, form in enumerate(("PNG", "BMP"), 1):
        file = io.BytesIO()
        picture.save(file, form)
        event = stored_event(line.store, file.getvalue(), pocket=pocket, check_id=check, check_size=2)
        line.inspector.inspect(event.message())
        told = [(each.state, each.reason) for each in line.answers() if isinstance(each, CheckAnswer)]
    assert told == [("review", "contradiction: one and the same photograph of pockets 1, 2")]


@pytest.mark.parametrize("together", [True, False], ids=["one-message", "later"])
def test_an_id_that_another_capture_has_is_a_fault_and_no_verdict_of_the_other(line: Line, together: bool) -> None:
    first = stored_event(line.store, photograph(70, 3), pocket=1, check_size=1)
    check = new_id()
    # The same id for another photograph: in a check of its own, and anew in the first one's.
    taken = {"capture_id": str(first.capture_id), "check_size": 1}
    second = stored_event(line.store, photograph(200, 4), pocket=1, check_id=str(check), **taken)
    anew = stored_event(line.store, photograph(200, 4), pocket=1, check_id=str(first.check_id), **taken)
    events = [event.message() for event in (first, second, anew)]
    for message in [events] if together else events:
        line.inspector.inspect(message)
    found = {(fault.reason, fault.capture_id, fault.check_id) for fault in line.faults()}
    assert found == {("id_of_another", None, event.check_id) for event in (second, anew)}
    told = [answer for answer in line.answers() if isinstance(answer, FaultAnswer)]
    assert [(answer.capture_id, answer.check_id) for answer in told] == [
        (first.capture_id, second.check_id),
        (first.capture_id, first.check_id),
    ]
    with line.database.reading() as session:
        assert [check.state for check in checks.recent(session)] == ["review"] * 2, "nobody has seen the others"


@pytest.mark.parametrize("comment", [b"", b"\xff\xfe\x00\x0609:1"], ids=["the-file", "the-pixels"])
def test_a_photograph_of_an_earlier_operation_is_no_go_of_the_next(line: Line, comment: bytes) -> None:
    image = photograph(70, 3)
    for operation, data in (("op-1", image), ("op-2", image[:2] + comment + image[2:])):
        event = stored_event(line.store, data, pocket=1, check_size=1, operation=operation)
        line.inspector.inspect(event.message())
    first, second = [answer for answer in line.answers() if isinstance(answer, CheckAnswer)]
    assert (first.state, first.reason) == ("go", None)
    assert second.state == "review"
    assert second.reason is not None
    assert second.reason.startswith("contradiction: the photograph of pocket 1 is that of operation op-1 at ")
    outcomes = [answer.outcome for answer in line.answers() if isinstance(answer, VerdictAnswer)]
    assert outcomes == ["intact", "intact"], "its verdict is made all the same"


def test_a_second_run_with_the_check_id_of_the_first_is_answered_with_review_until_all_is_seen(line: Line) -> None:
    check, now = str(new_id()), datetime.now(UTC)
    for ago, pocket in ((50, 1), (49, 2), (2, 1), (1, 2)):
        at = (now - timedelta(minutes=ago)).isoformat()
        place = {"pocket": pocket, "check_id": check, "check_size": 2, "captured_at": at}
        line.inspector.inspect(stored_event(line.store, photograph(70, ago), **place).message())
    first, second, third = [answer for answer in line.answers() if isinstance(answer, CheckAnswer)]
    assert [answer.state for answer in (first, second, third)] == ["go", "review", "go"]
    assert second.review == [2]
    assert "in another run" in (second.reason or "")


def test_what_an_earlier_run_has_seen_since_a_later_one_is_told_before_the_go_of_that(line: Line) -> None:
    earlier, later, now, last = str(new_id()), str(new_id()), datetime.now(UTC), next_of()
    of, taken = ((earlier, 1), (earlier, 2), (later, 1), (later, 2), (earlier, 2), (later, 2)), []
    for second, (run, pocket) in enumerate(of):
        last, at = next_of(last), (now - timedelta(seconds=9 - second)).isoformat()
        place = {"check_id": run, "check_size": 2, "pocket": pocket, "captured_at": at, "capture_id": str(last)}
        taken.append(stored_event(line.store, photograph(200 if second == 4 else 70, second), **place))

    def told(number: int) -> list[tuple[str, str | None]]:
        line.redis.delete(PLANT_STREAM)
        line.inspector.inspect(taken[number].message())
        said = [PLANT_ANSWERS.validate_json(fields["answer"]) for _, fields in line.redis.xrange(PLANT_STREAM)]
        of_runs = [one for one in said if isinstance(one, Hold | CheckAnswer)]
        return [(str(one.check_id), one.state if isinstance(one, CheckAnswer) else None) for one in of_runs]

    assert [told(number) for number in (0, 1, 2, 4)] == [[], [(earlier, "go")], [], [(earlier, "replace")]]
    assert told(3) == told(3) == [(earlier, None), (later, "go")], "also where a worker died before it was told"
    assert told(5) == [(later, "go")], "it has a newer one itself"


def test_so_it_is_by_a_clock_that_tells_whole_minutes(line: Line) -> None:
    earlier, later, last = str(new_id()), str(new_id()), next_of()
    minute = datetime.now(UTC).replace(second=0, microsecond=0).isoformat()
    for number, (run, pocket) in enumerate(((earlier, 1), (earlier, 2), (later, 1), (earlier, 1), (later, 2))):
        last = next_of(last)
        place = {"check_id": run, "check_size": 2, "pocket": pocket, "captured_at": minute, "capture_id": str(last)}
        line.inspector.inspect(
            stored_event(line.store, photograph(200 if number == 3 else 70, number), **place).message()
        )
    said = [PLANT_ANSWERS.validate_json(fields["answer"]) for _, fields in line.redis.xrange(PLANT_STREAM)]
    of_runs = [one for one in said if isinstance(one, Hold | CheckAnswer)]
    assert [(one.kind, str(one.check_id)) for one in of_runs][-2:] == [("hold", earlier), ("check", later)]


def test_a_go_that_waits_for_redis_is_told_with_what_others_saw_meanwhile(
    line: Line, redis_server: RedisProcess, tmp_path: Path
) -> None:
    earlier, later, now, last = str(new_id()), str(new_id()), datetime.now(UTC), next_of()
    messages = []
    for second, (run, pocket) in enumerate(((earlier, 1), (earlier, 2), (later, 1), (later, 2), (earlier, 2))):
        last, at = next_of(last), (now - timedelta(seconds=9 - second)).isoformat()
        place = {"check_id": run, "check_size": 2, "pocket": pocket, "captured_at": at, "capture_id": str(last)}
        messages.append(stored_event(line.store, photograph(200 if second == 4 else 70, second), **place).message())
    for message in messages[:3]:
        line.inspector.inspect(message)

    def ended(run: str) -> bool:
        with line.database.reading() as session:
            check = checks.find(session, UUID(run))
        return check is not None and check.state != "pending"

    redis_server.kill()
    waits = threading.Thread(target=line.inspector.inspect, args=(messages[3],))
    waits.start()
    wait_until(lambda: ended(later), what="the go that nobody is told yet")
    elsewhere = RedisProcess(tmp_path / "redis-of-another")
    elsewhere.start()
    try:
        line.redis_url = elsewhere.url
        line.worker().inspect(messages[4])
    finally:
        elsewhere.kill()
    redis_server.start()
    waits.join(60)
    said = [PLANT_ANSWERS.validate_json(fields["answer"]) for _, fields in line.redis.xrange(PLANT_STREAM)]
    of_runs = [one for one in said if isinstance(one, Hold) or (isinstance(one, CheckAnswer) and one.state == "go")]
    assert [str(one.check_id) for one in of_runs][-2:] == [earlier, later]
    assert isinstance(of_runs[-2], Hold)
    assert of_runs[-2].pocket == 2


def test_a_check_judged_by_many_workers_is_answered(line: Line) -> None:
    check = str(new_id())
    events = [
        stored_event(line.store, photograph(70, pocket), pocket=pocket, check_id=check, check_size=12)
        for pocket in range(1, 13)
    ]
    run_all([lambda event=event: line.worker().inspect(event.message()) for event in events])
    answers = [answer for answer in line.answers() if isinstance(answer, CheckAnswer)]
    assert answers
    assert {answer.state for answer in answers} == {"go"}


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": "gold"},
        {"pocket": "7"},
        {"captured_at": "2026-11-22T10:00:00"},
        {"image": "../../etc/passwd"},
        {"image": "/etc/passwd"},
        {"image_sha256": "not a digest"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_event_that_breaks_the_contract_becomes_a_fault_and_its_station_is_told(
    line: Line, changes: dict[str, Any]
) -> None:
    event = stored_event(line.store, photograph())
    line.inspector.inspect({**event.message(), **changes})
    (fault,) = line.faults()
    assert fault.reason == "invalid_event"
    assert next(iter(changes)) in fault.detail
    assert fault.capture_id == event.capture_id
    told, *ended = line.answers()
    assert isinstance(told, FaultAnswer)
    assert told.capture_id == event.capture_id
    assert [answer.state for answer in ended if isinstance(answer, CheckAnswer)] == ["review"]
    assert line.verdict_of(event) is None
    assert line.network.passes == 0


@pytest.mark.parametrize("message", [None, 3, "text", [], {}, {"station": 5}, {"args": [1, 2]}], ids=repr)
def test_what_is_no_event_at_all_is_kept_as_it_came(line: Line, message: Any) -> None:
    line.inspector.inspect(message)
    (fault,) = line.faults()
    assert (fault.reason, fault.capture_id) == ("invalid_event", None)
    assert line.redis.keys("verdicts:*") == []


def test_a_check_with_a_broken_event_ends_in_review(line: Line) -> None:
    check = str(new_id())
    good = stored_event(line.store, photograph(70), pocket=1, check_id=check, check_size=2)
    bad = stored_event(line.store, photograph(70), pocket=2, check_id=check, check_size=2)
    line.inspector.inspect(good.message())
    line.inspector.inspect({**bad.message(), "colour": "gold"})
    answer = line.answers()[-1]
    assert isinstance(answer, CheckAnswer)
    assert (answer.state, answer.review) == ("review", [2])


def test_a_check_of_events_that_cannot_be_used_is_answered_with_review(line: Line) -> None:
    check = str(new_id())
    sent = [stored_event(line.store, photograph(70), pocket=at, check_id=check, check_size=2) for at in (1, 2)]
    line.inspector.inspect([event.message() | {"schema_version": 99} for event in sent])
    answer = line.answers()[-1]
    assert isinstance(answer, CheckAnswer)
    assert (answer.head, answer.size, answer.state, answer.review) == (sent[0].head, 2, "review", [1, 2])
    alone = stored_event(line.store, photograph(70), pocket=2, check_size=1)
    line.inspector.inspect({**alone.message(), "check_size": "1"})
    answer = line.answers()[-1]
    assert isinstance(answer, CheckAnswer)
    assert (answer.check_id, answer.size, answer.state, answer.review) == (alone.check_id, 1, "review", [2])
    heads = ("head-8", "head-9")
    line.inspector.inspect({"events": [alone.model_copy(update={"head": head}).message() for head in heads]})
    with line.database.reading() as session:
        newest = {(check.head, check.state) for check in checks.recent(session, limit=2)}
    assert newest == {("head-8", "review"), ("head-9", "pending")}, "the fault is the first one's"


def test_a_missing_image_is_a_fault_after_the_last_try(line: Line) -> None:
    event = stored_event(line.store, None)
    line.inspector.inspect(event.message())
    assert line.faults() == []
    assert line.work() == IMAGE_TRIES
    (fault,) = line.faults()
    assert (fault.reason, fault.pocket, fault.check_id) == ("image_missing", 7, event.check_id)
    told, check = line.answers()
    assert isinstance(told, FaultAnswer)
    assert (check.state, check.review) == ("review", [7])


def test_an_image_that_may_still_come_is_waited_for_without_counting(line: Line) -> None:
    event = stored_event(line.store, None, image_sha256=hashlib.sha256(photograph(190)).hexdigest())
    before = datetime.now(UTC)
    line.inspector.inspect(event.message())
    for tries in range(1, 5):
        (message,) = line.waiting()
        assert message["headers"]["retries"] == tries
        assert datetime.fromisoformat(message["headers"]["eta"]) > before + timedelta(seconds=0.9)
        assert line.work(at_most=1) == 1
    assert (line.faults(), line.answers(), line.attempts(event)) == ([], [], 0)
    line.store.put(event.image, photograph(190))
    assert line.work() == 1
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert verdict.outcome == "damaged"


def test_a_judged_capture_whose_image_is_gone_is_confirmed_again(line: Line) -> None:
    event = stored_event(line.store, photograph(190))
    line.inspector.inspect(event.message())
    (line.store.root / event.image).unlink()
    line.inspector.inspect(event.message())
    assert [a.outcome for a in line.answers() if isinstance(a, VerdictAnswer)] == ["damaged", "damaged"]
    assert line.faults() == []


def test_a_capture_that_fails_three_times_is_a_fault_and_can_be_requeued(line: Line) -> None:
    event = stored_event(line.store, photograph(190))
    good, line.judge_hook = line.judge_hook, fail
    line.inspector.inspect(event.message())
    for attempt in (1, 2, 3):
        assert line.attempts(event) == attempt
        (message,) = line.waiting()
        assert message["headers"]["eta"] is not None, "not at once"
        line.work(at_most=1)
    assert line.waiting() == []
    (fault,) = line.faults()
    assert (fault.reason, fault.capture_id) == ("crashed", event.capture_id)
    told, check = line.answers()
    assert isinstance(told, FaultAnswer)
    assert check.review == [7]

    line.judge_hook = good  # what was wrong has been put right
    with line.database.transaction() as session:
        db.line.faults.requeue(session, fault.id)
    assert line.take_up_requeued() == 1
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert verdict.outcome == "damaged"
    assert line.take_up_requeued() == 0
    assert line.faults() == []


def test_a_requeued_event_that_is_still_broken_is_a_fault_again(line: Line) -> None:
    line.inspector.inspect({"station": "station-1", "pocket": 3})
    (fault,) = line.faults()
    with line.database.transaction() as session:
        db.line.faults.requeue(session, fault.id)
    assert line.take_up_requeued() == 1
    (again,) = line.faults()
    assert (again.id != fault.id, again.event) == (True, fault.event)
    assert line.take_up_requeued() == 0


class Crash(BaseException):
    """The process dies: nothing in it handles that."""


def die(*_: object) -> None:
    raise Crash


def told_of_checks(line: Line) -> list[str]:
    """What the plant and its station are told of checks, also by the watch."""
    PlantNewsWatch(line.database, line.inspector._notifier).turn()
    entries = line.redis.xrange(PLANT_STREAM)
    said = [PLANT_ANSWERS.validate_json(fields["answer"]) for _, fields in entries]
    states = [one.state for one in said if isinstance(one, CheckAnswer)]
    assert states == [one.state for one in line.answers() if isinstance(one, CheckAnswer)]
    return states


def test_the_answer_of_a_check_that_doubted_itself_meanwhile_is_told_once(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the worker dies before it is: the message comes again."""
    check, now = str(new_id()), datetime.now(UTC)
    of_run = [
        {
            "pocket": pocket,
            "check_id": check,
            "check_size": 2,
            "captured_at": (now - timedelta(minutes=ago)).isoformat(),
        }
        for ago, pocket in ((50, 1), (49, 2), (2, 1), (1, 2))
    ]
    first, second, third, fourth = (
        stored_event(line.store, photograph(70, number), **place).message() for number, place in enumerate(of_run)
    )
    line.inspector.inspect(first)
    line.inspector.inspect(second)
    line.inspector.inspect(third)
    assert told_of_checks(line) == ["go", "review"]
    with monkeypatch.context() as dies:
        dies.setattr(line.inspector, "_answer", die)
        with pytest.raises(Crash):
            line.inspector.inspect(fourth)
    assert told_of_checks(line) == ["go", "review"]
    line.inspector.inspect(fourth)
    assert told_of_checks(line) == ["go", "review", "go"]


def test_what_comes_of_a_requeued_fault_is_told_once_and_by_the_watch_where_the_worker_died(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message comes again for nothing: the fault is closed."""
    said = []
    for number, dies_once in enumerate((False, True)):
        event = stored_event(line.store, data := photograph(200, number), pocket=1, check_size=1)
        image = line.store.root / event.image
        image.unlink()
        line.inspector.inspect(event.message(), retries=IMAGE_TRIES)
        assert told_of_checks(line) == (said := [*said, "review"])
        image.write_bytes(data)
        [fault] = [fault for fault in line.faults() if fault.capture_id == event.capture_id]
        with line.database.transaction() as session:
            db.line.faults.requeue(session, fault.id)
        with monkeypatch.context() as dies:
            if dies_once:
                dies.setattr(line.inspector, "_answer", die)
                with pytest.raises(Crash):
                    line.take_up_requeued()
            else:
                line.take_up_requeued()
        assert told_of_checks(line) == (said := [*said, "replace"])


def test_a_message_whose_worker_died_is_split_and_only_the_guilty_capture_is_a_fault(line: Line) -> None:
    """So a capture that takes the process down takes its neighbours with it once, and not three times."""
    events = [stored_event(line.store, photograph(70 + n, n)) for n in range(5)]
    poison = line.store.get(events[2].image, 10**6)

    def crash(data: bytes, region: Region | None) -> Judgement:
        if data == poison:
            raise Crash
        return line.judge_well(data, region)

    line.judge_hook = crash
    group = [event.message() for event in events]
    with pytest.raises(Crash):
        line.inspector.inspect(group)
    assert [line.attempts(event) for event in events] == [1] * 5
    assert line.answers() == []
    line.inspector.inspect(group)  # it comes again
    assert line.network.passes == 2, "nothing is judged beside what may be to blame"
    alone = line.waiting()
    assert [carried(message)["capture_id"] for message in alone] == [str(event.capture_id) for event in events]
    assert line.work(at_most=2) == 2
    (raw,) = line.redis.rpop(INSPECT_QUEUE, 1)
    for attempt in range(2, MAX_ATTEMPTS + 1):
        with pytest.raises(Crash):
            line.inspector.inspect(carried(json.loads(raw)))
        assert line.attempts(events[2]) == attempt
    line.inspector.inspect(carried(json.loads(raw)))
    assert line.work() == 2
    (fault,) = line.faults()
    assert (fault.reason, fault.capture_id) == ("crashed", events[2].capture_id)
    assert [line.verdict_of(event) is not None for event in events] == [True, True, False, True, True]
    assert line.network.passes == 2 + 4


def test_what_cannot_be_kept_of_a_message_costs_only_itself(line: Line) -> None:
    """A verdict by a model that the database does not know: the transaction of all of them fails."""
    events = [stored_event(line.store, photograph(190, n)) for n in range(4)]
    unknown = line.store.get(events[1].image, 10**6)

    def judge(data: bytes, region: Region | None) -> Judgement:
        judgement = line.judge_well(data, region)
        return replace(judgement, model_id="never registered") if data == unknown else judgement

    line.judge_hook = judge
    line.inspector.inspect([event.message() for event in events])
    assert line.answers() == []
    assert line.work(at_most=1) == 1
    with pytest.raises(IntegrityError):
        line.work(at_most=1)
    assert line.work() == 2
    assert [line.verdict_of(event) is not None for event in events] == [True, False, True, True]


def test_an_image_store_that_is_away_is_waited_for_and_nothing_is_counted(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = stored_event(line.store, photograph(190))
    tries: list[str] = []

    def stale(key: str, limit: int) -> bytes:
        tries.append(key)
        raise OSError(errno.ESTALE, "Stale file handle", key)

    with monkeypatch.context() as away:
        away.setattr(line.store, "get", stale)
        thread = threading.Thread(target=line.inspector.inspect, args=(event.message(),))
        thread.start()
        wait_until(lambda: len(tries) >= 4)
        assert line.answers() == []
    thread.join(60)
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert (verdict.outcome, line.attempts(event), line.faults()) == ("damaged", 1, [])


def test_an_image_that_alone_cannot_be_read_is_a_fault_after_the_last_try(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = stored_event(line.store, photograph(190))
    get = line.store.get

    def bad_sector(key: str, limit: int) -> bytes:
        if key == event.image:
            raise OSError(errno.EIO, "Input/output error", key)
        return get(key, limit)

    monkeypatch.setattr(line.store, "get", bad_sector)
    line.inspector.inspect(event.message())
    assert line.work() == IMAGE_TRIES
    (fault,) = line.faults()
    assert fault.reason == "image_unreadable"
    assert "Input/output error" in fault.detail
    assert line.answers()[0].reason.startswith("image_unreadable")


def test_another_image_than_the_event_s_is_a_fault(line: Line) -> None:
    event = stored_event(line.store, photograph(), image_sha256="0" * 64)
    line.inspector.inspect(event.message())
    (fault,) = line.faults()
    assert fault.reason == "digest_mismatch"
    assert line.network.passes == 0


def test_a_link_out_of_the_store_is_not_followed(line: Line, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(photograph())
    (line.store.root / "link.jpg").symlink_to(secret)
    event = stored_event(line.store, None, image="link.jpg")
    line.inspector.inspect(event.message())
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert verdict.outcome == "unusable"
    assert "symbolic link" in (verdict.reason or "")


def png_of(width: int, height: int) -> bytes:
    """A whole, tiny PNG file of a great many black pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(width // 8 + 1) * height, 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "image",
    [b"", b"not an image", photograph()[:700], png_of(10_000, 10_000)],
    ids=["empty", "not-an-image", "truncated", "100-megapixels"],
)
def test_an_image_that_cannot_be_judged_is_unusable_with_a_reason(line: Line, image: bytes) -> None:
    event = stored_event(line.store, image)
    line.inspector.inspect(event.message())
    verdict = line.verdict_of(event)
    assert verdict is not None
    assert verdict.outcome == "unusable"
    assert verdict.reason
    assert line.answers()[1].review == [7]
    assert line.network.passes == 0
    assert line.faults() == []


def run_all(work: list[Callable[[], None]]) -> None:
    """Do it all at once, each in a thread of its own; the first error comes out."""
    errors: list[BaseException] = []

    def guarded(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize(
    ("off", "side"),
    [(timedelta(hours=10), "ahead"), (timedelta(days=73 * 365), "ahead"), (timedelta(days=-56 * 365), "behind")],
)
def test_a_wrong_clock_is_counted_and_logged_once_for_each_capture(line: Line, off: timedelta, side: str) -> None:
    metrics = WorkerMetrics()
    line.inspector = line.worker(metrics)
    now = datetime.now(UTC)
    wrong = stored_event(line.store, photograph(200), captured_at=(now + off).isoformat())
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            line.inspector.inspect(wrong.message())
        line.inspector.inspect(stored_event(line.store, photograph(200), captured_at=now.isoformat()).message())
    [told] = [each for each in logs if each["event"] == "a station's clock is wrong"]
    assert (told["station"], told["log_level"]) == ("station-1", "warning")
    assert [name for name in ("ahead", "behind") if name in told] == [side]
    assert not told[side].startswith("-")
    value = metrics.registry.get_sample_value
    assert value("inserts_captures_wrong_clock_total", {"clock": side}) == 1
    assert sum(value("inserts_captures_wrong_clock_total", {"clock": each}) or 0 for each in ("ahead", "behind")) == 1
    assert (value("inserts_capture_seconds_sum") or 0) < 3600, "nor does it spoil what is measured"


def test_a_clock_that_is_set_back_is_noticed_by_the_pocket_s_order(line: Line) -> None:
    """An hour at which the station's photographs can have been taken, but not after those of now."""
    metrics = WorkerMetrics()
    line.inspector = line.worker(metrics)
    now = datetime.now(UTC)
    for captured_at in (now, now - timedelta(hours=10)):
        event = stored_event(line.store, photograph(200), captured_at=captured_at.isoformat())
        line.inspector.inspect(event.message())
    assert metrics.registry.get_sample_value("inserts_captures_wrong_clock_total", {"clock": "behind"}) == 1


def test_a_fault_that_is_requeued_later_is_no_newer_than_it_was(line: Line) -> None:
    """Its photograph must not take the place of what was photographed since."""
    line.judge_hook = fail
    old = stored_event(line.store, photograph(60), captured_at=(datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    broken = {**old.message(), "check_size": 0}
    line.inspector.inspect(broken)
    [fault] = line.faults()
    line.judge_hook = line.judge_well
    newer = stored_event(line.store, photograph(200), captured_at=datetime.now(UTC).isoformat())
    line.inspector.inspect(newer.message())
    with line.database.transaction() as session:
        session.execute(update(Faults).where(Faults.id == fault.id).values(event=json.dumps(old.message())))
        db.line.faults.requeue(session, fault.id)
    assert line.take_up_requeued() == 1
    assert line.verdict_of(old).outcome == "intact"
    with line.database.reading() as session:
        assert [row.capture_id for row in replace_list.to_replace(session)] == [newer.capture_id]
