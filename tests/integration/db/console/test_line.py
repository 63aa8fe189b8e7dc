"""Every head at a glance, and news of what changes."""

import asyncio
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import pytest
import uuid6
from sqlalchemy import Engine, delete, event

from db.commands.main import main
from db.console.edition import edition
from db.console.live.feed import AWAY, BACK, FAULTS, Feed, head_id
from db.console.live.pieces import Pieces
from db.console.pages import events
from db.learning import model_registry
from db.learning.model_registry import Model
from db.line import captures_ahead, checks, faults, incomplete_checks, insert_changes, restores, verdicts
from db.line.restores import Replaced
from db.queries import line_changes, unusable_runs
from db.schema.tables import Reviews
from producer.contract.places import PocketPlace
from producer.station.followed_register import FollowedRegister
from tests.command_support import invoke
from tests.console_support import Browser, console_on
from tests.integration.conftest import on_both_engines
from tests.integration.db.conftest import T0

pytestmark = on_both_engines  # what it shows is asked of the database by itself

NOW = datetime.now(UTC)


def fresh(line, pocket: int, outcome: str | None, size: int = 3, minutes: float = 1, **changes):
    at = NOW - timedelta(minutes=minutes) + timedelta(seconds=pocket)
    return line.see(pocket, outcome=outcome, captured_at=at, check_size=size, **changes)


def card(text: str) -> str:
    return text[text.index("<article") : text.index("</article>")]


def test_a_head_shows_its_answer_and_each_pocket_by_word_glyph_and_class(line, signed_in) -> None:
    for pocket, outcome in enumerate(("damaged", "unsure", "intact"), 1):
        fresh(line, pocket, outcome)
    shown = card(signed_in("viewer").get("/").text)
    assert "<b>REPLACE</b>" in shown
    assert re.search(r"look at\s+2<", shown)
    for pocket, word in enumerate(("damaged", "unsure", "intact"), 1):
        assert re.search(rf'class="pocket {word}">\s*<title>{pocket}: {word}', shown)
        assert f'href="#g-{word}"' in shown
        assert f"1 {word}</li>" in shown
    assert "hatch" not in shown


def test_after_a_backup_was_restored_every_head_is_old_until_it_is_photographed_again(line, signed_in) -> None:
    fresh(line, 1, "intact", size=1)
    person = signed_in("viewer")
    assert "card stale" not in person.get("/").text
    with line.database.transaction() as session:
        lost = Replaced(pockets=[PocketPlace("mill-1", "photographed since", 1)])
        restores.record(session, at=NOW, file="a.sqlite", made_at=NOW.isoformat(), before=lost)
    assert 'class="card stale"' in person.get("/").text
    assert "<b>mill-1 · photographed since</b>" in person.get("/replace").text
    assert "photographed since" not in person.get("/replace?head=head-1").text
    fresh(line, 1, "intact", size=1, minutes=-0.1, head="photographed since", check_id=uuid6.uuid7())
    assert "photographed since" not in person.get("/replace").text
    place = {"machine": "mill-1", "head": "head-1", "pocket": 1}
    assert person.get("/api/v1/replace").json() == {"items": [], "not_seen_since_restore": [place]}
    line.check_id = uuid6.uuid7()
    fresh(line, 1, "intact", size=1, minutes=-0.1)
    assert "card stale" not in person.get("/").text
    assert person.get("/api/v1/replace").json()["not_seen_since_restore"] == []


@pytest.mark.parametrize(
    ("labelled_set", "new"),
    [({"heads": [["mill-1", "head-1"]]}, False), ({"heads": [["mill-2", "head-1"]]}, True), ({}, False)],
    ids=["learned from", "of another machine", "not known"],
)
def test_a_head_that_the_model_never_learned_from_is_shown_as_such(
    line, signed_in, database, labelled_set, new
) -> None:
    fresh(line, 1, "intact", size=1)
    said = "it has learned from no photograph of this head"
    assert said not in signed_in("viewer").get("/").text  # there is no model yet
    metrics = {"labelled_set": labelled_set}
    model = Model("m", "b:l", "f" * 64, T0, ("intact", "damaged"), 10, metrics, "m", "d" * 64)
    with database.transaction() as session:
        model_registry.register(session, model)
        model_registry.promote(session, "m", by="test", reason="test", at=T0)
    for path in ("/", "/line/head?machine=mill-1&head=head-1"):
        assert (said in card(signed_in("viewer").get(path).text)) is new


def test_one_photograph_makes_no_go_of_a_head_with_damaged_inserts(line, signed_in) -> None:
    for pocket, outcome in ((1, "damaged"), (2, "unsure"), (3, "intact")):
        fresh(line, pocket, outcome, minutes=9)
    fresh(line, 3, "intact", size=1, check_id=uuid6.uuid7(), operation="op-2")
    shown = card(signed_in("viewer").get("/").text)
    assert 'class="card replace"' in shown
    assert '<b>REPLACE</b> <span class="numbers">1</span>' in shown
    assert "look at 2" in shown
    fresh(line, 1, "intact", size=1, check_id=uuid6.uuid7(), operation="op-3", minutes=0.5)
    assert '<b>REVIEW</b> <span class="numbers">2</span>' in card(signed_in("viewer").get("/").text)


def test_what_is_of_long_ago_is_hatched_and_never_green(line, signed_in) -> None:
    line.see(1, outcome="intact", check_size=1)
    shown = card(signed_in("viewer").get("/").text)
    assert 'class="card stale"' in shown
    assert "card go" not in shown
    assert "says nothing about now" in shown


@pytest.mark.parametrize(
    ("outcomes", "answer"), [(["intact"] * 3, "GO"), (["intact", "unsure", "intact"], "REVIEW"), (["intact"], "WAIT")]
)
def test_the_answer_is_that_of_the_last_check(line, signed_in, outcomes, answer) -> None:
    for pocket in (1, 2, 3):
        fresh(line, pocket, "damaged", minutes=60, check_id=(older := uuid6.uuid7()))
    assert older
    for pocket, outcome in enumerate(outcomes, 1):
        fresh(line, pocket, outcome)
    assert f">{answer}</b>" in card(signed_in("viewer").get("/").text)


def test_a_fault_is_on_the_page_and_in_its_pocket(line, console, signed_in) -> None:
    capture = fresh(line, 1, None, size=1)
    with console.database.transaction() as session:
        faults.record(
            session,
            capture_id=capture.capture_id,
            station="st-1",
            check_id=capture.check_id,
            pocket=1,
            reason="image_missing",
            detail="<script>alert(1)</script>",
            event="{}",
            at=NOW,
        )
    text = signed_in("viewer").get("/").text
    assert "<b>1</b> image missing" in text
    assert 'class="pocket fault"' in text
    assert "<script>alert" not in text


def test_names_with_markup_are_text(line, signed_in) -> None:
    fresh(line, 1, "intact", head="A&B (ø)", operation="op, 1")
    text = signed_in("viewer").get("/").text
    assert "A&amp;B (ø)" in text
    assert "head=A%26B%20%28%C3%B8%29" in text


def test_the_register_says_how_many_pockets_there_are_and_how_they_lie(line, console, signed_in, tmp_path) -> None:
    fresh(line, 1, "intact")
    heads = tmp_path / "heads.toml"
    heads.write_text('[heads.head-1]\npockets = 5\nlayout = "row"\n', encoding="utf-8")
    other = console_on(console.settings.url, tmp_path, heads=heads)
    browser = Browser(other)
    browser.sign_in("the viewer")
    shown = card(browser.get("/").text)
    other.database.close()
    assert 'class="map row"' in shown
    assert shown.count('class="pocket empty"') == 4


def test_a_register_that_is_changed_counts_at_once_and_open_pages_hear_of_it(
    line, console, tmp_path, monkeypatch
) -> None:
    fresh(line, 1, "intact", size=1)
    monkeypatch.setattr("db.console.app.FollowedRegister", partial(FollowedRegister, settled_after=0.1))
    monkeypatch.setattr("db.console.live.register.EVERY_SECONDS", 0.05)
    heads = tmp_path / "heads.toml"
    heads.write_text("[heads.head-1]\npockets = 1\n", encoding="utf-8")
    other = console_on(console.settings.url, tmp_path, heads=heads)
    browser = Browser(other)
    browser.sign_in("the viewer")
    assert ">GO</b>" in card(browser.get("/").text)
    app = browser.client.app

    async def listen() -> None:
        async with app.router.lifespan_context(app), other.feed.listen() as queue:
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"
            heads.write_text("[heads.head-1]\npockets = 2\n", encoding="utf-8")
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the register"

    asyncio.run(listen())
    assert "<b>REVIEW</b>" in card(browser.get("/").text), "nobody has seen its second pocket"
    other.database.close()


def test_the_board_is_open_only_where_a_setting_says_so(line, console, tmp_path) -> None:
    fresh(line, 1, "intact", size=1)
    assert Browser(console).get("/board").status_code == 303
    opened = console_on(console.settings.url, tmp_path, console_open_board=True)
    browser = Browser(opened)
    board = browser.get("/board")
    assert ">GO</b>" in board.text
    assert "csrf" not in board.text
    piece = browser.get("/line/head?machine=mill-1&head=head-1").text
    assert browser.get("/").status_code == 303
    # Who has not signed in is not sent to the login by a pocket; who has comes to its page.
    assert '<g role="img" class="pocket intact"><title>1: intact</title>' in board.text
    assert '<g role="img" class="pocket intact">' in piece
    assert "/pocket?" not in board.text + piece
    browser.sign_in("the viewer")
    assert '<a href="/pocket?machine=mill-1&amp;head=head-1&amp;pocket=1" class="pocket intact">' in card(
        browser.get("/board").text
    )
    opened.database.close()


def test_a_head_that_is_not_there_is_not_found(signed_in) -> None:
    answer = signed_in("viewer").get("/line/head?machine=x&head=y")
    assert answer.status_code == 404
    assert re.fullmatch(r"<!--[\d.]+-->", answer.text), "by the console itself, and when"


def test_a_piece_says_when_it_was_begun(line, signed_in) -> None:
    fresh(line, 1, "intact")
    browser = signed_in("viewer")
    for path in ("/line/heads", "/line/faults", "/line/head?machine=mill-1&head=head-1"):
        before = time.time()
        begun = re.match(r"<!--([\d.]+)-->", browser.get(path).text)
        assert before - 0.001 <= float(begun[1]) <= time.time()


def test_listeners_hear_what_changed_and_nothing_is_connected_at_rest(line, console) -> None:
    capture = fresh(line, 1, None)

    def judged() -> None:
        with console.database.transaction() as session:
            verdicts.record(session, line.verdict(capture.capture_id, "damaged", judged_at=T0))

    def faulty() -> None:
        with console.database.transaction() as session:
            faults.record(
                session,
                capture_id=None,
                station=None,
                check_id=None,
                pocket=None,
                reason="invalid_event",
                detail="",
                event="{}",
                at=NOW,
            )

    def give_up() -> None:
        with console.database.transaction() as session:
            incomplete_checks.give_up(session, incomplete_checks.awaited(session))

    def elsewhere() -> None:
        """A photograph of another head that says it is of the same check: its own head shows nothing of it."""
        with console.database.transaction() as session:
            checks.finish(session, [capture.check_id])

    def change_insert() -> None:
        with console.database.transaction() as session:
            insert_changes.record(session, "mill-1", "head-1", 1, by="ana", at=NOW)

    def take_back() -> None:
        with console.database.transaction() as session:
            [said] = insert_changes.of_pocket(session, "mill-1", "head-1", 1)
            insert_changes.withdraw(session, said.id)

    changes = {
        head_id("mill-1", "head-1"): [
            judged,
            lambda: fresh(line, 2, "intact"),
            lambda: line.say(capture, "intact"),
            give_up,
            elsewhere,
            change_insert,
            take_back,
        ],
        FAULTS: [faulty],
    }

    async def listen() -> None:
        feed = Feed(console.database)
        async with feed.listen() as first, feed.listen() as second:
            for queue in (first, second):
                assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"
            for heard, each in changes.items():
                for change in each:
                    await asyncio.to_thread(change)
                    for queue in (first, second):
                        assert await asyncio.wait_for(queue.get(), 5) == heard
            # On SQLite the one connection that writes is kept for the next one that does; the listeners have none.
            writes = 0 if console.database._writing is None else 1
            pools = [engine.pool for engine in (console.database._engine, console.database._reading)]
            assert [pool.checkedout() for pool in pools] == [writes, 0]
        assert feed.news is None, "nobody listens"

    asyncio.run(listen())


def test_a_station_whose_photographs_cannot_be_judged_is_said_as_it_is_now(line, console, signed_in) -> None:
    browser, minutes = signed_in("viewer"), count()

    def said(path: str) -> list[str]:
        return re.findall(r"The last (\d+) photographs of st-1 cannot be judged, since", browser.get(path).text)

    def see(outcome: str) -> None:
        line.see(1, next(minutes), outcome, check_id=uuid6.uuid7())

    for _ in range(unusable_runs.FEWEST - 1):
        see("unusable")
    assert said("/") == []

    async def listen() -> None:
        feed = Feed(console.database)
        async with feed.listen() as queue:
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"
            for outcome, now in (("unusable", ["5"]), ("unusable", ["6"]), ("intact", [])):
                await asyncio.to_thread(see, outcome)
                heard = {await asyncio.wait_for(queue.get(), 5) for _ in range(2)}
                assert heard == {FAULTS, head_id("mill-1", "head-1")}
                assert [said(path) for path in ("/", "/board", "/line/faults")] == [now] * 3

    asyncio.run(listen())


def test_photographs_of_the_future_are_noted_by_a_console_that_somebody_looks_at(line, console) -> None:
    line.see(1, captured_at=NOW + timedelta(hours=2), check_id=uuid6.uuid7(), check_size=1)

    def unnoted() -> int:
        with console.database.reading() as session:
            return len(captures_ahead.unnoted(session))

    async def listen() -> None:
        async with Feed(console.database).listen() as queue:
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"

    before = unnoted()
    asyncio.run(listen())
    assert (before, unnoted()) == (1, 0)


def test_a_photograph_of_which_no_head_is_known_may_be_of_any(line, signed_in, terminal) -> None:
    """Nothing can be said of one head alone, but nobody who looks at a GO is left without a word."""
    said = "could not be used since"
    check = fresh(line, 1, "intact", size=1).check_id
    what = {"capture_id": None, "station": None, "pocket": 1, "reason": "invalid_event", "detail": ""}
    with line.database.transaction() as session:
        faults.record(session, check_id=check, event="of a head", at=NOW, **what)
        faults.record(session, check_id=None, event="of then", at=NOW - timedelta(hours=2), **what)
    person = signed_in("viewer")
    assert said not in person.get("/").text
    with line.database.transaction() as session:
        lost = faults.record(session, check_id=uuid6.uuid7(), event="text", at=NOW, **what)
    for page in ("/", "/board", "/line/faults"):
        assert f"1 photograph of an unknown head {said}" in person.get(page).text
    done = invoke(main, "--database", line.database.url, "replace")
    assert "1 photograph of no known head could not be used" in done.stderr
    with line.database.transaction() as session:
        faults.dismiss(session, lost.id)
    assert said not in person.get("/").text


def test_a_review_that_a_restored_backup_does_not_have_may_be_of_any_head(line, console) -> None:
    line.say(fresh(line, 1, "damaged"), "intact")

    async def listen() -> None:
        feed = Feed(console.database)
        async with feed.listen() as queue:
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"
            with console.database.transaction() as session:
                session.execute(delete(Reviews))
            assert await asyncio.wait_for(queue.get(), 5) == BACK

    asyncio.run(listen())


def test_more_faults_at_once_than_are_looked_at_may_be_of_any_head(line, console) -> None:
    of_check = {"capture_id": None, "station": None, "check_id": fresh(line, 1, "intact").check_id}
    what = {"reason": "invalid_event", "detail": "", "at": NOW}

    async def listen() -> None:
        feed = Feed(console.database)
        async with feed.listen() as queue:
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"
            with console.database.transaction() as session:
                for pocket in range(1, 1 + line_changes.FAULTS_AT_ONCE):
                    faults.record(session, pocket=pocket, event=str(pocket), **of_check, **what)
            while await asyncio.wait_for(queue.get(), 5) != BACK:
                pass

    asyncio.run(listen())


def test_who_has_more_news_than_are_kept_hears_that_anything_may_have_changed(console) -> None:
    async def listen() -> None:
        feed = Feed(console.database)
        async with feed.listen() as queue:
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"
            feed._tell({f"h{number}" for number in range(150)})
            assert queue.qsize() == 150
            feed._tell({f"h{number}" for number in range(51)})
            assert [queue.get_nowait() for _ in range(queue.qsize())] == [BACK]

    asyncio.run(listen())


def test_boards_that_heard_the_same_news_share_a_piece_until_the_next(line, console, monkeypatch) -> None:
    monkeypatch.setattr("db.console.live.pieces.KEPT_SECONDS", 60)
    made: list[str] = []
    comers = threading.Semaphore(0)

    def make() -> str:
        made.append(f"piece {len(made)}")
        if made[-1] == "piece 2":
            assert all(comers.acquire(timeout=5) for _ in range(4)), "all have come for it"
        return made[-1]

    def come(pieces: Pieces) -> str:
        comers.release()
        return pieces.text("a", make)

    async def listen() -> None:
        feed = Feed(console.database)
        pieces = Pieces(feed)
        assert [pieces.text("a", make), pieces.text("a", make)] == ["piece 0", "piece 1"], "nobody listens"
        async with feed.listen() as queue:
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"
            asked = [asyncio.to_thread(come, pieces) for _ in range(4)]
            assert set(await asyncio.gather(*asked)) == {"piece 2"}
            await asyncio.to_thread(fresh, line, 1, None)
            await asyncio.wait_for(queue.get(), 5)
            assert pieces.text("a", make) == "piece 3"
            assert pieces.text("b", make) == "piece 4"
            assert pieces.text("a", make) == "piece 3"

    asyncio.run(listen())


def test_a_stream_begins_beats_and_ends(console, monkeypatch) -> None:
    monkeypatch.setattr(events, "_BEAT_SECONDS", 0.05)

    async def read() -> list[str]:
        return [each async for each in events._stream(Feed(console.database), 0.2)]

    before = time.time()
    first, *then = asyncio.run(read())
    assert re.fullmatch(rf"retry: 1000\nevent: ready\nid: [\d.]+\ndata: {edition()}\n\n", first)
    names = [re.fullmatch(r"event: (\w+)\nid: [\d.]+\ndata: \w*\n\n", each)[1] for each in then]
    assert "beat" in names
    assert set(names) <= {"beat", "ready"}, "once more when the first look has come"
    moments = [float(re.search("id: (.*)", each)[1]) for each in (first, *then)]
    assert before - 0.001 <= moments[0]
    assert moments == sorted(moments)


def test_a_database_that_hangs_is_told_and_told_to_be_back(console, monkeypatch) -> None:
    monkeypatch.setattr("db.console.live.feed.LOOK_SECONDS", 0.1)
    hangs, look = threading.Event(), Feed._marks

    def marks(feed: Feed, known: object) -> object:
        assert not hangs.is_set() or moves.wait(30)
        return look(feed, known)

    monkeypatch.setattr(Feed, "_marks", marks)
    moves = threading.Event()

    async def listen() -> None:
        feed = Feed(console.database)
        async with feed.listen() as queue:
            heard = [await asyncio.wait_for(queue.get(), 5)]
            while heard[-1] != BACK:  # a slow machine's first look
                heard.append(await asyncio.wait_for(queue.get(), 5))
            hangs.set()
            assert (await asyncio.wait_for(queue.get(), 5), feed.away) == (AWAY, True)
            hangs.clear()
            moves.set()
            assert (await asyncio.wait_for(queue.get(), 5), feed.away) == (BACK, False)

    asyncio.run(listen())


def test_of_pieces_no_more_is_kept_than_was_just_made_whatever_is_asked_for(
    line, console, signed_in, monkeypatch
) -> None:
    monkeypatch.setattr("db.console.live.pieces.KEPT_SECONDS", 60)
    fresh(line, 1, "intact")
    browser = signed_in("viewer")

    async def listen() -> None:
        async with console.feed.listen() as queue:
            assert await asyncio.wait_for(queue.get(), 5) == BACK, "the first look"
            paths = [f"/line/heads?x={number}" for number in range(5)]
            assert len({(await asyncio.to_thread(browser.get, path)).text for path in paths}) == 1
            monkeypatch.setattr("db.console.live.pieces.KEPT_SECONDS", -1)
            for path in paths:
                await asyncio.to_thread(browser.get, f"{path}&machine={path[-1]}")
            assert len(console.pieces._kept) == 1, "the last"
            assert not console.pieces._turns

    asyncio.run(listen())


PAGES_OF_MANY = (
    *("/", "/board", "/line/heads", "/checks", "/checks?state=replace", "/replace", "/search", "/faults", "/drift"),
    *("/handover", "/models", "/audit", "/review", "/sheet", "/pocket?machine=mill-1&head=head-000&pocket=1"),
    *("/api/v1/verdicts", "/api/v1/checks", "/api/v1/replace"),
)
"""What is about all heads, or names some: none may ask about each by itself."""


def asked(browser: Browser, path: str) -> list[str]:
    """The questions that a page asks the database."""
    statements: list[str] = []
    listen = lambda *given: statements.append(given[2])  # noqa: E731
    event.listen(Engine, "before_cursor_execute", listen)
    try:
        assert browser.get(path).status_code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    return [statement for statement in statements if statement.lstrip().startswith(("SELECT", "WITH"))]


def test_a_page_asks_once_which_labels_came_late(line, signed_in, monkeypatch) -> None:
    monkeypatch.setattr("db.console.pages.line.HEADS_ON_A_PAGE", 1)
    seen = fresh(line, 1, "intact", minutes=9)
    fresh(line, 1, "intact", minutes=8, check_id=uuid6.uuid7())
    fresh(line, 1, None, head="head-2", check_id=uuid6.uuid7())
    line.say(seen, "worn", at=NOW)
    browser = signed_in("viewer")
    assert "head=head-1&amp;pocket=1" in browser.get("/replace").text
    for path in ("/", "/board", "/replace", "/handover"):
        assert sum("FROM late_labels JOIN" in statement for statement in asked(browser, path)) == 1, path


def test_fifty_heads_take_as_many_statements_as_five(line, console, signed_in) -> None:
    browser = signed_in("administrator")
    heads, counts = 0, []
    for until in (5, 50):
        for number in range(heads, until):
            check, head = uuid6.uuid7(), f"head-{number:03}"
            for pocket, outcome in enumerate(("damaged", "unsure", "damaged"), 1):
                capture = fresh(line, pocket, outcome, head=head, check_id=check)
            line.say(capture, "intact", at=NOW)
        heads = until
        assert browser.get("/board").text.count("<article") == heads
        counts.append({path: len(asked(browser, path)) for path in PAGES_OF_MANY})
    few, many = counts
    assert min(few.values()) > 0
    assert {path: (few[path], many[path]) for path in many if few[path] != many[path]} == {}
    assert max(few[path] for path in ("/", "/board", "/line/heads")) <= 16


def test_a_page_has_the_heads_that_were_photographed_last_and_a_machine_has_its_own(
    line, signed_in, monkeypatch
) -> None:
    monkeypatch.setattr("db.console.pages.line.HEADS_ON_A_PAGE", 2)
    for number, machine in enumerate(("mill-1", "mill-2", "mill-2", "mill-2")):
        fresh(line, 1, "intact", minutes=60 - number, machine=machine, head=f"head-{number}", check_id=uuid6.uuid7())
    browser = signed_in("viewer")
    names = re.compile(r'<h2>(.*?) <span aria-hidden="true">·</span> (.*?)</h2>')
    text = browser.get("/").text
    assert names.findall(text) == [("mill-2", "head-2"), ("mill-2", "head-3")]
    assert "2 others are not shown" in text
    assert names.findall(browser.get("/?machine=mill-1").text) == [("mill-1", "head-0")]
    assert "1 other is not shown" in browser.get("/?machine=mill-2").text
    assert names.findall(browser.get("/line/heads?machine=mill-1").text) == [("mill-1", "head-0")]


def test_a_check_with_a_pocket_taken_twice_is_drawn_by_the_newer_one(line, signed_in) -> None:
    for minutes, outcome in ((3, "damaged"), (2, "intact")):
        fresh(line, 1, outcome, size=1, minutes=minutes)
    shown = card(signed_in("viewer").get("/").text)
    assert ">GO</b>" in shown
    assert 'class="mark intact"' in shown
    assert 'class="mark damaged"' not in shown
