"""What people say at the line without a message is told by a worker, on a real Redis and both databases."""

from __future__ import annotations

from datetime import UTC, datetime

from db.engine.database import Database
from db.learning import reviews
from db.line import untold_checks
from db.line.captures import Capture
from producer.contract.answers import CheckAnswer
from producer.contract.event import new_id
from producer.contract.plant_event import PLANT_STREAM
from producer.contract.plant_news import PLANT_ANSWERS
from tests.integration.test_incomplete import Plant
from tests.support import RedisProcess
from worker.line.plant_news import PlantNewsWatch


def test_a_label_of_what_a_pocket_shows_is_told_and_one_of_what_it_showed_before_is_not(
    database: Database, redis_server: RedisProcess
) -> None:
    plant = Plant(database, redis_server)
    watch = PlantNewsWatch(database, plant.notifier)
    _, second, third = (plant.photograph(pocket) for pocket in (1, 2, 3))

    def label(capture: Capture, word: str) -> None:
        with database.transaction() as session:
            reviews.add(session, capture_id=capture.capture_id, label=word, by="ana", at=datetime.now(UTC))

    def told() -> list[tuple[str, list[int]]]:
        watch.turn()
        entries = [fields["answer"] for _, fields in plant.redis.xrange(PLANT_STREAM)]
        answers = [PLANT_ANSWERS.validate_json(text) for text in entries]
        checks = [answer for answer in answers if isinstance(answer, CheckAnswer)]
        assert [check.revision for check in checks] == sorted({check.revision for check in checks})
        assert all(check.begun_at is not None for check in checks)
        assert len(plant.told()) == len(checks), "its station is told too"
        return [(check.state, check.replace) for check in checks]

    assert told() == []
    label(second, "worn")
    overruled = [("replace", [2])]
    assert told() == told() == overruled
    plant.photograph(2, size=1, check_id=new_id(), image_sha256="e" * 64)
    label(second, "broken")
    assert told() == overruled, "another photograph shows the pocket by now"
    label(third, "worn")
    with database.reading() as session:
        _, revisions = untold_checks.untold(session)
    label(third, "intact")  # while it is told
    with database.transaction() as session:
        untold_checks.remove(session, revisions)
    assert told() == [*overruled, ("replace", [2])]
    unjudged = plant.photograph(1, None, size=2, check_id=new_id(), image_sha256="f" * 64)
    label(unjudged, "intact")
    assert len(told()) == 2, "the check is told when it ends"
    with database.reading() as session:
        assert untold_checks.untold(session) == ([], {})
