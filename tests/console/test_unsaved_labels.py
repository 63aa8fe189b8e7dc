"""Labels that cannot be saved at once, in a real browser: whoever's they are, whatever answers, each is kept once."""

from sqlalchemy import delete, update

from db.people import audit
from db.schema.tables import Accounts, Sessions
from tests.console.test_review import all_saved, begin, kept, ready
from tests.support import wait_until


def test_a_console_that_hangs_is_said_and_keeps_the_label_once(page, plant) -> None:
    first = begin(page)
    page.server.pause()
    page.press("2")
    wait_until(lambda: "Not saved" in page.text("#failed:not([hidden])"), 10, "the complaint")
    page.server.resume()
    wait_until(lambda: not page.shows("#failed"), what="the return")
    all_saved(page)
    ready(page, first)
    assert kept(plant) == [(first, "worn", "ana")]
    with plant.database.reading() as session:
        assert [entry.subject for entry in audit.recent(session) if entry.action == "reviewed"] == [first]


def test_what_a_proxy_says_of_a_console_that_is_gone_drops_no_label(page, plant) -> None:
    first = begin(page)
    with page.server.replaced_by_proxy(404):
        page.press("2")
        wait_until(lambda: "Not saved" in page.text("#failed:not([hidden])"), what="the complaint")
    wait_until(lambda: not page.shows("#failed"), what="the return")
    assert not page.shows("#refused")
    assert kept(plant) == [(first, "worn", "ana")]


def test_a_reviewer_who_may_no_longer_review_is_told_so(page, plant) -> None:
    first = begin(page)
    become(plant, "viewer")
    page.press("3")
    wait_until(lambda: "may not review" in page.text("#failed:not([hidden])"), what="the reason")
    become(plant, "reviewer")
    wait_until(lambda: not page.shows("#failed"), what="the return")
    assert kept(plant) == [(first, "broken", "ana")]


def become(plant, role: str) -> None:
    with plant.database.transaction() as session:
        session.execute(update(Accounts).where(Accounts.name == "ana").values(role=role))


def test_labels_of_one_person_wait_and_hold_up_no_other(page, plant) -> None:
    first = begin(page)
    with plant.database.transaction() as session:
        session.execute(delete(Sessions))
    page.press("3")
    wait_until(lambda: page.shows("#failed a"), what="the way to the login")
    page.sign_in("bert", path="/review")
    second = ready(page)
    assert "ana (1)" in page.text("#waiting")
    assert not page.shows("#failed")
    page.press("1")
    wait_until(lambda: kept(plant) == [(second, "intact", "bert")], what="the other's label")
    page.sign_in("ana", path="/review")
    wait_until(lambda: kept(plant)[1:] == [(first, "broken", "ana")], what="what waited")
    all_saved(page)
    assert not page.shows("#waiting")
