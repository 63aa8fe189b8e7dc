"""Every page in a language that has brackets round each text: what stands without is a text that was forgotten."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from babel.messages.pofile import write_po

from db.console.reader import languages
from db.learning import evaluations, model_registry
from db.line import faults, insert_changes, verdicts
from db.queries import connector_health
from producer.contract.connector_report import ConnectorReport, SinkState
from producer.contract.reasons import faults as why
from producer.contract.reasons import image_files, models, promotion
from tests.catalogs import texts
from tests.console_support import ORIGIN, Browser
from tests.evaluation_support import report_of
from tests.integration.db.conftest import T0
from tests.integration.db.console.test_fuzz import operations_of

PSEUDO = "eo"
"""Babel knows its numbers and dates, and nobody's browser asks for it."""

SHOWN = (
    "title",
    "alt",
    "aria-label",
    "placeholder",
    "data-text",
    "data-minutes",
    "data-ended",
    "data-away",
    "data-asking",
)
"""Attributes that a person reads."""

VOID = {"meta", "link", "img", "input", "br", "hr", "use", "path", "rect", "circle"}

DATA = re.compile(
    r"mill-\w+|head-\w+|op-[\w-]+|st-\d|the (?:viewer|reviewer|maintainer|administrator)|outcome=intact|2h, 3d|CSV"
    r"|insert-db users add|insertnet-\w+|rows|label|capture|[0-9a-f]{8}-[0-9a-f-]+|\d+[hd]\b|T10:00"
)


class Words(HTMLParser):
    """The texts of a page, but for what says that it is in a language of its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._own: list[bool] = [False]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        own = self._own[-1] or (tag not in ("html", "svg") and "lang" in values) or tag in ("script", "style")
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self._own.append(own)
        if not own:
            self.texts += [value for name, value in values.items() if name in SHOWN and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._own.pop()

    def handle_data(self, data: str) -> None:
        if not self._own[-1] and data.strip():
            self.texts.append(data.strip())


class English(Words):
    """The texts of a page that it says in English whatever its language is, but for what is to be typed."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        language = dict(attrs).get("lang")
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            english = tag not in ("html", "code") and (language == "en" or (language is None and not self._own[-1]))
            self._own.append(not english)


def in_english(page: str) -> list[str]:
    """What a page says in English, but for the name of that language and what is data."""
    return [text for text in English(page).texts if re.search("[a-z]{3} [a-z]", DATA.sub(" ", text))]


def forgotten(page: str) -> list[str]:
    """The words of a page that are neither in brackets nor data, numbers or dates."""
    words = []
    for text in Words(page).texts:
        before, left = "", text
        while before != left:
            before, left = left, re.sub(r"⟦[^⟦⟧]*⟧", " ", left)
        # Dates, units and the word between the last two of a list are Babel's own.
        left = re.sub(r"\d+ [A-Z][a-z]{2} \d{4}|\d+ (?:t|h|m|s|tago|tagoj|horo|horoj)\b| aŭ ", " ", DATA.sub(" ", left))
        words += [f"{word}  in  {text}" for word in re.findall(r"[^\W\d_]{2,}", left)]
    return words


@pytest.fixture
def pseudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A language in which each text is itself, in brackets."""
    catalog = texts()
    catalog.locale = PSEUDO
    for message in catalog:
        if message.id:
            message.string = tuple(f"⟦{each}⟧" for each in message.id) if message.pluralizable else f"⟦{message.id}⟧"
    with (tmp_path / f"{PSEUDO}.po").open("wb") as file:
        write_po(file, catalog, omit_header=True)
    monkeypatch.setattr(languages, "CATALOGS", tmp_path)
    monkeypatch.setattr(languages, "LANGUAGES", (*languages.LANGUAGES, PSEUDO))
    yield PSEUDO
    languages.translations.cache_clear()


def test_what_is_forgotten_is_seen() -> None:
    assert forgotten("<p>⟦All ⟦good⟧⟧ <b>Bad</b> 3 <i lang='en'>its own</i></p><img alt='a dog'>") == [
        "Bad  in  Bad",
        "dog  in  a dog",
    ]


REASONS = {"unsure": models.NO_MODEL(), "unusable": image_files.EMPTY()}


@pytest.fixture
def seen(line) -> None:
    """A line with something of each kind."""
    model = line.model("insertnet-features-1", network_digest="e" * 64)
    line.model("insertnet-features-2", network_digest="e" * 64)
    line.model("insertnet-features-3")
    with line.database.transaction() as session:
        for name in ("insertnet-features-2", model.model_id):
            model_registry.promote(session, name, by="the viewer", reason="the first", at=T0)
        model_registry.start_shadow(session, "insertnet-features-2", by="the viewer", reason="the next", at=T0)
        evaluations.record(session, "insertnet-features-2", T0, report_of("insertnet-features-2", model.model_id))
    for head, outcomes in {"head-1": ("damaged", "intact", "unsure", "unusable", None), "head-2": ("intact",)}.items():
        for pocket, outcome in enumerate(outcomes, 1):
            capture = line.see(pocket, pocket, None, head=head, check_size=len(outcomes), insert_designation=None)
            if outcome is not None:
                reason = REASONS.get(outcome)
                with line.database.transaction() as session:
                    verdicts.record(session, line.verdict(capture.capture_id, outcome, reason=reason))
            if outcome == "damaged":
                line.say(capture, "broken")
                with line.database.transaction() as session:
                    insert_changes.record(session, "mill-1", head, pocket, by="the viewer", at=T0)
    good = SinkState("st-1", True, None, 1.0, False, 0, None, 0, 7, 2.0)
    sinks = [
        good,
        replace(good, disabled=True),
        replace(good, up=False),
        replace(good, problem="no answer", waiting=1, oldest=1.0),
        replace(good, given_up=2),
        replace(good, waiting=1, oldest=1.0),
    ]
    now = datetime.now(UTC)
    with line.database.transaction() as session:
        for number, at in enumerate((now, now - timedelta(hours=2))):
            report = ConnectorReport(site="mill-1", host="mill-1", written_at=at, sinks=tuple(sinks))
            connector_health.keep(session, {str(number): report.model_dump_json(), f"{number}?": "{"}, at)


PAGES = (
    "/",
    "/board",
    "/review",
    "/checks",
    "/checks?limit=1",
    "/checks?state=pending",
    "/checks?state=odd",
    "/checks?since=long+ago",
    "/replace",
    "/faults",
    "/handover",
    "/handover?since=2026-01-01",
    "/models",
    "/models?limit=1",
    "/models/insertnet-features-1",
    "/models/insertnet-features-2",
    "/models/insertnet-features-3",
    "/models/nothing",
    "/sheet?machine=mill-1&head=head-1",
    "/search",
    "/search?limit=1",
    "/search?machine=mill-7",
    "/search?outcome=fine",
    "/search?pocket=one",
    "/pocket?machine=mill-1&head=head-1&pocket=1",
    "/pocket?machine=mill-1&head=head-1&pocket=2",
    "/pocket?machine=mill-1&head=head-1&pocket=9",
    "/audit",
    "/nothing",
    "/line/faults",
)


def test_no_text_of_a_page_was_forgotten(pseudo, seen, signed_in) -> None:
    browser = signed_in("administrator")
    shown = {path: browser.get(path, **{"Accept-Language": pseudo}).text for path in PAGES}
    found = {path: [*forgotten(text), *in_english(text)] for path, text in shown.items()}
    assert {path: words for path, words in found.items() if words} == {}
    viewer = signed_in("viewer").get("/audit", **{"Accept-Language": pseudo})
    assert (viewer.status_code, forgotten(viewer.text)) == (403, [])


WRONG = ("", "9" * 30, "x" * 5_000, "a\0b", str(UUID(int=7)))


def test_no_refusal_speaks_english(pseudo, seen, signed_in) -> None:
    """Each place of each address and form, with what it does not take."""
    browser = signed_in("administrator")
    browser.client.headers["Accept-Language"] = pseudo
    headers = {"Origin": ORIGIN, "X-CSRF-Token": browser.csrf}
    right = {"machine": "mill-1", "head": "head-1", "pocket": "1", "model_id": "insertnet-features-1", "sure": "yes"}
    right |= {"fault_id": "1", "reason": "why not"}
    said, asked = {}, Counter()
    for operation in operations_of(browser.client.app.openapi(), ""):
        where = {parameter["name"]: parameter["in"] for parameter in operation.parameters}
        for place in (
            [*where, *operation.body.get("properties", ())] if operation.path not in ("/events", "/logout") else ()
        ):
            for value in WRONG:
                fields = {name: right.get(name, "") for name in operation.body.get("properties", {})} | {place: value}
                path = operation.path
                for name in where:
                    path = path.replace(f"{{{name}}}", quote(fields.get(name, right.get(name, "-")), safe="") or "-")
                query = {place: value} if where.get(place) == "query" else {}
                answer = browser.client.request(operation.method, path, params=query, data=fields, headers=headers)
                asked[answer.status_code] += 1
                if answer.status_code >= 400 and answer.headers["Content-Type"].startswith("text/html"):
                    texts = [*forgotten(answer.text), *in_english(answer.text)]
                    texts += re.findall("⟦[^⟦⟧]* is not what is asked for here⟧", answer.text)
                    said |= {(operation.path, place, value[:9]): texts} if texts else {}
    assert said == {}, dict(list(said.items())[:9])
    assert min(asked[status] for status in (400, 404)) > 20, asked


def test_why_something_is_not_plain_is_said_in_the_readers_language(line, signed_in) -> None:
    unsure = line.see(1, 0, check_size=2)
    broken = line.see(3, 1, check_size=2, check_id=unsure.check_id)
    verdicts_of = {
        unsure: ("unsure", models.UNSURE_BAND(probability=0.48, lower=0.3, upper=0.7)),
        broken: ("unusable", image_files.HALF(problem=image_files.JPEG_ENDS())),
    }
    with line.database.transaction() as session:
        for capture, (outcome, reason) in verdicts_of.items():
            verdicts.record(session, line.verdict(capture.capture_id, outcome, reason=str(reason)))
        for number, detail in enumerate((why.MISSING(key="a/1.jpg"), "pocket: Input should be <b>less</b>")):
            about = {"capture_id": None, "station": "st-1", "check_id": None, "pocket": number + 1}
            faults.record(session, **about, reason="image_missing", detail=str(detail), event=str(number), at=T0)
    browser = signed_in("administrator")
    browser.client.headers["Accept-Language"] = "de"
    band = "die Wahrscheinlichkeit eines Schadens, 0,480, liegt im unsicheren Bereich, 0,300 bis 0,700"
    half = "die Bilddatei ist beschädigt oder unvollständig (die JPEG-Datei endet vor ihrer Endmarke): noch einmal"
    said = {
        "/search": [band, half],
        "/pocket?machine=mill-1&head=head-1&pocket=1": [band],
        "/checks": ["<small>Widerspruch: Plattensitz 3 in einer Prüfung von 2</small>"],
        "/": ["<small>Widerspruch: ", "kein Bild unter „a/1.jpg“"],
        "/faults": ["<p>kein Bild unter „a/1.jpg“</p>", '<span lang="en">pocket: Input should be &lt;b&gt;less'],
        f"/review/item?capture={unsure.capture_id}": [band, '"reasonLanguage":"de"'],
    }
    missing = {path: [text for text in texts if text not in browser.get(path).text] for path, texts in said.items()}
    assert {path: texts for path, texts in missing.items() if texts} == {}
    kept = browser.get("/api/v1/verdicts?outcome=unsure").json()["items"]
    assert [verdict["reason"] for verdict in kept] == [str(verdicts_of[unsure][1])]


def test_why_a_model_judges_is_said_in_the_readers_language_and_a_person_s_words_stay(line, signed_in) -> None:
    names = [line.model(f"m-{number}", network_digest="e" * 64).model_id for number in (1, 2)]
    rule = [promotion.UNOPPOSED(), promotion.NEWEST_ABOVE_GUESSING(mean=0.75)]
    with line.database.transaction() as session:
        model_registry.promote(session, names[0], by="worker", reason="; ".join(rule), at=T0)
        model_registry.start_shadow(session, names[1], by="ana", reason="mal sehen; <b>bald</b>", at=T0)
    browser = signed_in("maintainer")
    browser.client.headers["Accept-Language"] = "de"
    told = "noch ist kein Modell im Einsatz; seine ausgewogene Trefferquote auf den neuesten Beurteilungen, 0,750"
    own = '<span lang="">mal sehen; &lt;b&gt;bald&lt;/b&gt;</span>'
    for path in ("/models", "/models/m-1", "/handover?since=2026-11-01"):
        assert told in browser.get(path).text
        assert own in browser.get(path.replace("m-1", "m-2")).text
    again = browser.post("/models/m-1/promote", {"reason": "x", "sure": "yes"})
    assert (again.status_code, "<p>das Modell m-1 ist schon im Einsatz</p>" in again.text) == (409, True)


def test_nor_before_anybody_has_signed_in(pseudo, console) -> None:
    browser = Browser(console)
    browser.client.headers["Accept-Language"] = pseudo
    assert "⟦Sign in⟧" in browser.get("/login").text
    assert forgotten(browser.get("/login").text) == []
    for _ in range(6):
        last = browser.sign_in("the viewer", "no password of hers")
        assert forgotten(last.text) == []
    assert last.status_code == 429


def test_nor_in_what_a_script_is_told_and_in_drawings(pseudo, line, seen, signed_in) -> None:
    browser = signed_in("reviewer")
    browser.client.headers["Accept-Language"] = pseudo
    items = browser.post("/review/next").json()["items"]
    assert {item["why"][0] for item in items} == {"⟦"}
    assert {item["verdict"] for item in items} == {"⟦intact⟧", "⟦unsure⟧"}
    drawing = browser.get(f"/photographs/{items[0]['id']}/small")
    assert drawing.headers["Content-Type"].startswith("image/svg")
    assert "⟦the image store does not answer⟧" in drawing.text


def test_a_choice_is_kept_by_the_browser(console, signed_in) -> None:
    browser = signed_in("viewer")
    browser.client.headers["Accept-Language"] = "de-CH,de;q=0.9,en;q=0.8"
    german = browser.get("/checks").text
    assert '<html lang="de-CH">' in german
    assert "<h1>Prüfungen</h1>" in german
    chosen = browser.post("/language", {"language": "es", "next": "/checks?state=go"})
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/checks?state=go")
    assert "<h1>Controles</h1>" in browser.get("/checks").text
    assert browser.post("/language", {"language": "tlh"}).status_code == 400
    assert browser.post("/language", {"language": "en"}, Origin="http://elsewhere").status_code == 403
    assert browser.post("/language", {"language": "en", "next": "//elsewhere/"}).headers["Location"] == "/"


def test_numbers_and_moments_are_the_readers(line, signed_in) -> None:
    line.see(1, 0, "damaged")
    browser = signed_in("viewer")
    for tag, moment in (("de", "22.11.2026, "), ("en-GB", "22 Nov 2026, "), ("es", "22 nov 2026, ")):
        assert moment in browser.get("/search", **{"Accept-Language": tag}).text
