"""Pages that nobody reloads, in a real browser: what is new to them comes, and a stream that ended is opened anew."""

import json
from datetime import UTC, datetime

import uuid6

from db.line import captures, verdicts
from db.line.captures import Arrival
from db.line.verdicts import Verdict
from producer.contract.reasons.photographs import BLURRED
from tests.support import wait_until

QUICK_CLOCK = "const wait = window.setTimeout; window.setTimeout = (what, ms) => wait(what, ms === 15000 ? 3000 : ms);"
"""The page loses its patience sooner."""


def judge(plant, machine: str, head: str, pocket: int, logit: float) -> None:
    now, photo = datetime.now(UTC), next((plant.folder / "images").rglob("*.jpg")).read_bytes()
    photo += f"{machine} {head} {pocket}".encode()  # of its own: what was that of another pocket is nobody's
    plant.judge(plant.capture(machine, head, pocket, 1, "op-0001", uuid6.uuid7(), now, photo), logit, now)


def asked_for_heads(page) -> int:
    entries = "return performance.getEntriesByType('resource').filter(e => e.name.includes('/line/heads')).length"
    return int(page.script(entries))


def open_board_of_a_good_head(page, plant) -> None:
    """Sign in and open the board of mill-7, whose only head H1 is a go by its pocket 1, and wait until it is live."""
    judge(plant, "mill-7", "H1", 1, -3.0)
    page.sign_in(path="/board?machine=mill-7")
    wait_until(lambda: asked_for_heads(page) >= 1 and page.shows(".card.go"), what="the first word of the server")


def test_a_head_that_is_new_to_a_machine_comes_on_its_board(page, plant) -> None:
    page.sign_in(path="/board?machine=mill-7")
    wait_until(lambda: asked_for_heads(page) >= 1, what="the first word of the server")
    assert "No photograph of machine mill-7 has come yet" in page.text("#heads")
    judge(plant, "mill-7", "H1", 1, 3.0)
    wait_until(lambda: page.shows(".card.replace"), what="the first head")
    judge(plant, "mill-7", "H2", 1, 3.0)
    wait_until(lambda: len(page.texts(".card.replace")) == 2, what="the next head")
    # What belongs to another machine is asked for once, and not with each of its photographs.
    before = asked_for_heads(page)
    for pocket in range(1, 4):
        judge(plant, "mill-9", "H3", pocket, 3.0)
        judge(plant, "mill-7", "H1", 1 + pocket, 3.0)
        wait_until(lambda number=1 + pocket: f"{number}" in page.text(".card .numbers"), what="the next pocket")
    assert asked_for_heads(page) <= before + 1
    assert len(page.texts(".card")) == 2


def test_a_page_whose_shared_worker_was_killed_makes_another(page, plant) -> None:
    page.sign_in(path=None)
    added = page.chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICK_CLOCK})
    try:
        page.open("/board")
        wait_until(lambda: asked_for_heads(page) >= 1, what="the first word of the server")
        kill_shared_worker(page.chromium)
        wait_until(lambda: asked_for_heads(page) > 1, what="the first word to another worker")
        wait_until(lambda: not page.shows("#lost"), what="the end of the banner")
        judge(plant, "mill-7", "H1", 1, 3.0)
        wait_until(lambda: page.shows(".card.replace"), what="the news")
        assert len(shared_workers(page.chromium)) == 1
    finally:
        page.chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


SHOWN = """window.shown = [];
const look = () => {
  const now = `${document.getElementById("lost").hidden ? "" : "lost "}${document.querySelector(".card")?.className}`;
  if (shown.at(-1) !== now) shown.push(now);
  requestAnimationFrame(look);
};
look();"""
"""Notes all that a board shows, from one frame to the next."""


def test_what_was_lost_is_not_shown_as_found_before_it_was_fetched_anew(page, plant) -> None:
    open_board_of_a_good_head(page, plant)
    page.script(SHOWN)
    page.server.pause()
    try:
        wait_until(lambda: page.shows("#lost"), what="the banner")
        judge(plant, "mill-7", "H1", 1, 3.0)
    finally:
        page.server.resume()
    wait_until(lambda: page.shows(".card.replace") and not page.shows("#lost"), what="the damage")
    first, *then = page.script("return window.shown")
    assert (first, then[0], then[-1]) == ("card go", "lost card go", "card replace")
    assert "card go" not in then
    assert "mill-7 · H1: REPLACE 1" in page.text("#spoken"), "who does not see it is told too"


CHANGED = """window.shown = [];
new MutationObserver(() => {
  shown.push(`${document.getElementById("lost").hidden ? "" : "lost "}${document.querySelector(".card")?.className}`);
}).observe(document.body, { subtree: true, childList: true, attributeFilter: ["hidden", "class"] });"""
"""Notes what a board shows each time that it changes: a page that was frozen paints late."""


def test_a_page_that_was_frozen_shows_nothing_as_known_before_it_was_fetched_anew(page, plant) -> None:
    judge(plant, "mill-7", "H1", 1, -3.0)
    page.sign_in(path=None)
    first = page.chromium.current_window_handle
    page.chromium.switch_to.new_window("tab")  # of its own: one that was frozen paints no more
    try:
        page.open("/board?machine=mill-7")
        wait_until(lambda: asked_for_heads(page) >= 1 and page.shows(".card.go"), what="the first word of the server")
        page.script(CHANGED)
        page.chromium.execute_cdp_cmd("Page.setWebLifecycleState", {"state": "frozen"})
        judge(plant, "mill-7", "H1", 1, 3.0)
        page.chromium.execute_cdp_cmd("Page.setWebLifecycleState", {"state": "active"})
        wait_until(lambda: page.shows(".card.replace") and not page.shows("#lost"), what="the damage")
        assert page.script("return window.shown")[0] == "lost card go"
    finally:
        page.chromium.close()
        page.chromium.switch_to.window(first)


def test_a_page_whose_script_does_not_come_says_that_it_follows_nothing(page, plant) -> None:
    judge(plant, "mill-7", "H1", 1, -3.0)
    page.sign_in(path=None)
    page.chromium.execute_cdp_cmd("Network.enable", {})
    page.chromium.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*live.js*"]})
    try:
        page.open("/board?machine=mill-7")
        assert page.shows(".card.go")
        wait_until(lambda: page.shows("#lost"), what="the banner")
        assert page.of_all(".card", "getComputedStyle(e).filter") == ["grayscale(1)"]
    finally:
        page.chromium.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    page.open("/board?machine=mill-7")
    wait_until(lambda: page.of_all(".card", "getComputedStyle(e).filter") == ["none"], what="the script")
    assert not page.shows("#lost")


def test_a_page_whose_shared_worker_does_not_come_says_so_and_asks_again(page, plant) -> None:
    judge(plant, "mill-7", "H1", 1, -3.0)
    page.sign_in(path=None)
    added = page.chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NO_WORKER})
    try:
        page.open("/board?machine=mill-7")
        wait_until(lambda: page.shows("#lost"), 12, "the banner, before the page loses its patience")
        page.script("window.elsewhere = ''")
        wait_until(lambda: not page.shows("#lost"), what="the worker")
        assert page.shows(".card.go")
    finally:
        page.chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


NO_WORKER = """const Given = window.SharedWorker; window.elsewhere = "/nowhere";
window.SharedWorker = function (address) { return new Given(window.elsewhere + address); };"""
"""Its script is not where it should be."""

INSTEAD = """const ask = window.fetch;
window.fetch = (to, how) =>
  String(to).startsWith("/line/head?") && window.instead ? window.instead(() => ask(to, how)) : ask(to, how);"""
"""What is asked for of a head may be answered by something else than the console."""


HELD = """window.asked = 0; window.shown = [];
window.instead = async (ask) => {
  const answer = await ask();
  if (++window.asked === 1) await new Promise((come) => { window.come = come; });
  return answer;
};
new MutationObserver(() => shown.push(document.querySelectorAll("a.pocket").length))
  .observe(document.getElementById("heads"), { subtree: true, childList: true });"""
"""The first answer comes when it is told to, of a time before; how many pockets were shown is noted."""


def test_a_head_that_changed_again_while_it_was_fetched_is_not_shown_as_it_was(page, plant) -> None:
    open_board_of_a_good_head(page, plant)
    page.script(INSTEAD + HELD)
    judge(plant, "mill-7", "H1", 2, -3.0)
    wait_until(lambda: page.script("return Boolean(window.come)"), what="the answer that is held")
    judge(plant, "mill-7", "H1", 3, 3.0)
    wait_until(lambda: page.shows("#lost"), what="the word that it is late")  # by then the page was told again
    page.script("window.come()")
    wait_until(lambda: page.shows(".card.replace") and not page.shows("#lost"), what="the damage")
    assert 2 not in page.script("return window.shown")


def test_heads_that_come_one_after_the_other_are_said_to_be_late(page, plant) -> None:
    for number in range(4):
        judge(plant, "mill-7", f"H{number}", 1, -3.0)
    page.sign_in(path="/board?machine=mill-7")
    wait_until(lambda: asked_for_heads(page) >= 1 and len(page.texts(".card.go")) == 4, what="the first word")
    page.script(INSTEAD + "window.instead = (ask) => new Promise((done) => setTimeout(done, 1_200)).then(ask);")
    for number in range(4):
        judge(plant, "mill-7", f"H{number}", 1, 3.0)
    wait_until(lambda: page.shows("#lost"), what="the banner")
    assert page.shows(".card.go"), "none of them is late by itself"
    wait_until(lambda: len(page.texts(".card.replace")) == 4 and not page.shows("#lost"), what="the last of them")


def test_what_a_proxy_says_in_place_of_a_head_is_not_shown(page, plant) -> None:
    open_board_of_a_good_head(page, plant)
    for status, pocket, word in ((404, 2, "go"), (200, 3, "replace")):
        page.script(f"{INSTEAD} window.instead = async () => new Response('Sign in', {{ status: {status} }});")
        judge(plant, "mill-7", "H1", pocket, 3.0)
        wait_until(lambda: page.shows("#lost"), what="the banner")
        assert page.shows(f".card.{word}")
        assert "Sign in" not in page.text("#heads")
        page.script("window.instead = null")
        wait_until(lambda now=str(pocket): now in page.text(".card.replace .numbers"), what="the head as it is")
        wait_until(lambda: not page.shows("#lost"), what="the end of the banner")


STRIPPED = """window.instead = async (ask) => {
  const answer = await ask(), text = await answer.text();
  window.before ??= text.replace(/[\\d.]+/, (begun) => Number(begun) - 60);
  return new Response(window.keeps ? window.before : text, { status: answer.status });
};"""
"""A proxy that takes away all headers, and may answer with what it has kept."""


def test_what_a_proxy_has_kept_is_not_shown(page, plant) -> None:
    open_board_of_a_good_head(page, plant)
    page.script(INSTEAD + STRIPPED)
    judge(plant, "mill-7", "H1", 2, -3.0)
    wait_until(lambda: len(page.texts("a.pocket")) == 2 and not page.shows("#lost"), what="the head without headers")
    page.script("window.keeps = true")
    judge(plant, "mill-7", "H1", 3, 3.0)
    wait_until(lambda: page.shows("#lost"), what="the banner")
    assert len(page.texts("a.pocket")) == 2, "what it shows is what the console said last"
    page.script("window.keeps = false")
    wait_until(lambda: page.shows(".card.replace") and not page.shows("#lost"), what="the damage")
    assert page.text(".card.replace .numbers") == "3"


OF_BEFORE = """if (!sessionStorage.loaded) {
  sessionStorage.loaded = "once";
  new MutationObserver((_, watch) => {
    const edition = document.querySelector('meta[name="edition"]');
    if (edition) { edition.content = "before"; watch.disconnect(); }
  }).observe(document, { subtree: true, childList: true });
}"""
"""The first page that is loaded is one of the edition before."""


def test_a_board_of_before_an_upgrade_loads_itself_anew(page, plant) -> None:
    judge(plant, "mill-7", "H1", 1, -3.0)
    page.sign_in(path=None)
    added = page.chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": OF_BEFORE})
    try:
        page.open("/board?machine=mill-7")
        loaded = "return performance.getEntriesByType('navigation')[0].type"
        wait_until(lambda: page.script(loaded) == "reload", what="the board as it is now")
        wait_until(lambda: asked_for_heads(page) >= 1 and page.shows(".card.go"), what="its heads")
        assert page.script(loaded) == "reload"
        assert not page.shows("#lost")
    finally:
        page.chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
        page.script("sessionStorage.clear()")


def test_a_head_that_begins_with_a_photograph_that_nobody_can_use_comes_on_its_board(page, plant) -> None:
    page.sign_in(path="/board?machine=mill-7")
    wait_until(lambda: asked_for_heads(page) >= 1, what="the first word of the server")
    now, before = datetime.now(UTC), asked_for_heads(page)
    stand_in = plant.capture("mill-7", "H1", 1, 1, "op-0001", uuid6.uuid7(), now, b"no photograph")
    with plant.database.transaction() as session:
        captures.arrive(session, [Arrival(stand_in, now, shows=False)])
        verdicts.record(session, Verdict(stand_in.capture_id, None, "unusable", None, BLURRED(share=0.1), None, now))
    wait_until(lambda: asked_for_heads(page) > before, what="the news of it")
    judge(plant, "mill-7", "H1", 2, 3.0)
    wait_until(lambda: page.shows(".card.replace"), what="the head")
    assert (page.texts(".card h2"), page.text(".card .numbers")) == (["mill-7 · H1"], "2")


def shared_workers(chromium) -> list[str]:
    targets = chromium.execute_cdp_cmd("Target.getTargets", {})["targetInfos"]
    return [target["targetId"] for target in targets if target["type"] == "shared_worker"]


def kill_shared_worker(chromium) -> None:
    (worker,) = shared_workers(chromium)
    attached = {"targetId": worker, "flatten": False}
    session = chromium.execute_cdp_cmd("Target.attachToTarget", attached)["sessionId"]
    message = json.dumps({"id": 1, "method": "Runtime.evaluate", "params": {"expression": "setTimeout(close, 200)"}})
    chromium.execute_cdp_cmd("Target.sendMessageToTarget", {"sessionId": session, "message": message})
    chromium.execute_cdp_cmd("Target.detachFromTarget", {"sessionId": session})  # else the next one waits for us
    wait_until(lambda: worker not in shared_workers(chromium), what="the end of the worker")
