"""Faults in a real browser: new ones stand out, a person says that they are seen, a maintainer closes one."""

from db.line import faults


def states(plant) -> list[tuple[str, str | None]]:
    with plant.database.reading() as session:
        return [(each.state, each.seen_by) for each in faults.search(session, state=None)]


def test_a_fault_is_seen_and_closed_with_two_taps(page, plant) -> None:
    plant.fault()
    page.sign_in("mara", path="/faults")
    assert page.shows(".unseen-yet")
    assert min(page.heights(".act button")) >= 60  # for gloves
    page.follow("#all-seen")
    assert "Seen by mara" in page.text(".fault-row")
    assert not page.shows(".unseen-yet")
    page.follow('form[action="/faults/dismiss"] button')
    assert "No fault matches" in page.text("main")
    assert states(plant) == [("dismissed", "mara")]
    assert page.complaints() == []


def test_a_reviewer_sees_a_fault_and_cannot_close_it(page, plant) -> None:
    plant.fault()
    page.sign_in("ana")
    page.follow('nav a[href="/faults"]')
    assert page.shows(".fault-row")
    assert not page.shows('form[action="/faults/dismiss"]')
    assert "station-1" in page.text("table")
