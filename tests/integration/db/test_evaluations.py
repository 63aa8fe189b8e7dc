from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from db.learning import evaluations


def test_the_newest_evaluation_of_a_model_counts(line, start) -> None:
    line.model("m-1")
    line.model("m-2")
    with line.database.transaction() as session:
        assert evaluations.newest_model(session) is None
        evaluations.record(session, "m-1", start, {"images": 3})
        evaluations.record(session, "m-2", start, {"images": 4})
        evaluations.record(session, "m-1", start + timedelta(hours=1), {"images": 5})
    with line.database.reading() as session:
        assert evaluations.of_model(session, "m-1").report == {"images": 5}
        assert evaluations.of_model(session, "m-3") is None
        assert evaluations.newest_model(session) == "m-1"


def test_a_model_that_nobody_registered_has_none(line, start) -> None:
    with pytest.raises(IntegrityError), line.database.transaction() as session:
        evaluations.record(session, "unknown", start, {})
