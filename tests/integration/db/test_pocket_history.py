import uuid6

from db.line import faults
from db.queries import pocket_history


def test_a_pockets_life(line, start) -> None:
    line.see(2, 0, "damaged")
    old = line.see(1, 0, "intact")
    line.see(1, 1, "intact", machine="mill-2")
    broken = line.see(1, 2)
    pending = line.see(1, 3)
    for reason in ("image_missing", "crashed"):
        with line.database.transaction() as session:
            faults.record(
                session,
                capture_id=broken.capture_id,
                station="st-1",
                check_id=None,
                pocket=1,
                reason=reason,
                detail="",
                event="{}",
                at=start,
            )
    with line.database.reading() as session:
        rows = pocket_history.of_pocket(session, "mill-1", "head-1", 1)
        assert pocket_history.of_pocket(session, "mill-1", "head-1", 1, limit=1) == rows[:1]
        assert pocket_history.of_pocket(session, "mill-1", "head-9", 1) == []
    assert [row.capture_id for row in rows] == [pending.capture_id, broken.capture_id, old.capture_id]
    assert [row.outcome for row in rows] == [None, None, "intact"]
    assert [row.fault for row in rows] == [None, "crashed", None]
    line.say(old, "intact")
    line.say(old, "worn")
    with line.database.reading() as session:
        rows = pocket_history.of_pocket(session, "mill-1", "head-1", 1)
    assert [row.review for row in rows] == [None, None, "worn"]


def test_a_life_is_read_page_by_page_whatever_faults_it_has(line, start) -> None:
    seen = [line.see(1, minute // 2).capture_id for minute in range(6)]  # two at each moment
    with line.database.transaction() as session:
        for number in range(4):
            values = {"capture_id": seen[-1], "station": "st-1", "check_id": None, "pocket": 1, "event": "{}"}
            faults.record(session, **values, reason=f"reason {number}", detail="", at=start)
    pages, after = [], None
    with line.database.reading() as session:
        while page := pocket_history.of_pocket(session, "mill-1", "head-1", 1, limit=2, after=after):
            pages.append([row.capture_id for row in page])
            after = (page[-1].ordered_at, page[-1].capture_id)
        newest = pocket_history.of_capture(session, seen[-1])
        assert newest == pocket_history.of_pocket(session, "mill-1", "head-1", 1)[0]
        assert pocket_history.of_capture(session, uuid6.uuid7()) is None
    assert newest is not None
    assert newest.fault == "reason 3"
    assert pages == [seen[5:3:-1], seen[3:1:-1], seen[1::-1]]
