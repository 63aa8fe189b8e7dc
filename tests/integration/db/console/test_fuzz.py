"""Whatever is sent to a page, a form or the API, the answer is never that the console has failed.

What may be sent is taken from the OpenAPI documents of both applications: each parameter and field gets what its schema
allows, what is really there, and what is neither. An error that no handler knows is raised in the test itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema.validators import validator_for
from starlette.routing import Mount

from db.console.api.fields import PREFIX
from db.line import faults
from producer.storage.opening import open_image_store
from tests.console_support import ORIGIN, PASSWORD, Browser
from tests.integration.conftest import ENGINES, on_both_engines
from tests.support import photograph

EXAMPLES = 200

TEXT = st.text(max_size=40)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
"""Made once: a strategy goes through all of Unicode when it is first drawn from."""

HOSTILE = (
    "", "a\0b", "-1", "9" * 30, "9" * 5_000, "٣", "../../etc/passwd", "<script>alert(1)</script>{{7*7}}",
    "\u202e\ufeff\U0010ffff", "x" * 5_000, "0001-01-01T00:00:00+14:00", "999999w",
    "9999-12-31T23:59:59.999999Z_00000000-0000-0000-0000-000000000000",
)  # fmt: skip

UNKEEPABLE = ("a\0b", "9" * 30, *HOSTILE[-3:])
"""What engines take differently: some cannot keep it."""


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked for, as its document has it."""

    method: str
    path: str
    parameters: list[dict[str, Any]]
    body: dict[str, Any]
    media_type: str


@dataclass(frozen=True)
class Asked:
    """What is sent; `raw` in place of the fields."""

    path: str
    query: dict[str, Any]
    fields: dict[str, Any]
    raw: bytes | None = None


def operations_of(document: dict[str, Any], prefix: str) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            ((media_type, content),) = said.get("requestBody", {"content": {"": {}}})["content"].items()
            body = content.get("schema", {})
            if name := body.get("$ref", "").rpartition("/")[2]:
                body = document["components"]["schemas"][name]
            yield Operation(method, prefix + path, said.get("parameters", []), body, media_type)


def values(schema: dict[str, Any], name: str, known: dict[str, list[Any]]) -> st.SearchStrategy[Any]:
    """What the schema allows, what is there under that name, and what is neither."""
    allowed: st.SearchStrategy[Any] = TEXT
    if kinds := schema.get("anyOf"):
        allowed = st.one_of(*(values(kind, name, known) for kind in kinds))
    elif schema.get("type") == "array":
        allowed = st.lists(values(schema["items"], name, known), max_size=6)
    elif "enum" in schema:
        allowed = st.sampled_from(schema["enum"])
    elif schema.get("type") in ("integer", "number"):
        allowed = st.integers(schema.get("minimum", -1), schema.get("maximum", 2**70))
    elif schema.get("format") == "date-time":
        allowed = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    elif schema.get("format") == "uuid":
        allowed = st.uuids().map(str)
    choices = [allowed, st.sampled_from(HOSTILE)]
    if name in known:
        choices += [st.sampled_from(known[name])] * 3
    return st.one_of(choices)


@st.composite
def questions(draw, operations: list[Operation], known: dict[str, list[Any]]):
    """An operation, and what is sent with it."""
    operation = draw(st.sampled_from(operations))
    path, query = operation.path, {}
    for parameter in operation.parameters:
        value = values(parameter["schema"], parameter["name"], known)
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quoted(draw(value)))
        elif parameter["required"] or draw(st.booleans()):
            query[parameter["name"]] = draw(value)
    fields = {
        name: draw(
            values(schema, name, known) if operation.media_type != "application/json" else anything(schema, name, known)
        )
        for name, schema in operation.body.get("properties", {}).items()
        if name in operation.body.get("required", ()) or draw(st.booleans())
    }
    raw = draw(st.one_of(st.none(), st.none(), st.binary(max_size=200))) if operation.media_type else None
    return operation, Asked(path, query, fields, raw)


def anything(schema: dict[str, Any], name: str, known: dict[str, list[Any]]) -> st.SearchStrategy[Any]:
    """As `values`, or any other value that JSON has."""
    return st.one_of(values(schema, name, known), values(schema, name, known), JSON)


def quoted(value: Any) -> str:
    """A value as one part of a path, whatever is in it."""
    return quote(str(value), safe="") or "%20"


@pytest.fixture
def known(line, console) -> dict[str, list[Any]]:
    """Names and ids of what is there, so that a question gets further than its first check."""
    from db.learning import model_registry

    digest = open_image_store(console.settings.images_root).put("st-1/a.jpg", photograph(size=64))
    seen = [
        line.see(pocket, pocket, outcome, image="st-1/a.jpg", image_sha256=digest)
        for pocket, outcome in enumerate(("unsure", "damaged", "intact", None), 1)
    ]
    line.say(seen[0], "worn", note="a note")
    line.model("m-1")
    with line.database.transaction() as session:
        text = {"station": "st-1", "reason": "image_missing", "detail": "", "event": "{}"}
        faults.record(session, capture_id=seen[3].capture_id, check_id=None, pocket=4, at=seen[3].captured_at, **text)
        model_registry.promote(session, "m-1", by="ana", reason="the first", at=seen[0].captured_at)
    captures = [str(capture.capture_id) for capture in seen]
    return {
        **dict.fromkeys(("capture", "capture_id", "without"), captures),
        "machine": ["mill-1", "imported"],
        "head": ["head-1"],
        "pocket": [1, 2, 3, 4],
        "check_id": [str(line.check_id)],
        "model_id": ["m-1"],
        "station": ["st-1"],
        "fault": [1],
        "sure": ["yes"],
        "reason": ["why not"],
        "shown": [[f"{captures[0]} unsure"]],
        "after": [1, f"2026-11-22T10:02:00Z_{captures[0]}", "2026-11-22T10:00:00Z_m-1", "2026-11-22T10:00:00Z_1"],
        "before": [1],
        "by": ["ana"],
        "name": ["the viewer"],
        "password": [PASSWORD],
        "next": ["/checks"],
    }


class Asker:
    """A signed-in browser that asks whatever it is told to, and looks at each answer."""

    def __init__(self, browser: Browser) -> None:
        self.client = browser.client
        app = self.client.app
        api = next(route.app for route in app.routes if isinstance(route, Mount) and route.path == PREFIX)
        self.document = api.openapi()
        schema = {"$ref": "#/components/schemas/Problem", "components": self.document["components"]}
        self._problem = validator_for(schema)(schema)
        every = [*operations_of(app.openapi(), ""), *operations_of(self.document, PREFIX)]
        # A stream has no end, and without its session nobody could ask for anything else.
        self.operations = [each for each in every if each.path not in ("/events", "/logout")]
        self._headers = {"Origin": ORIGIN, "X-CSRF-Token": browser.csrf}
        self._cookies = dict(self.client.cookies)
        self.heard: Counter[int] = Counter()

    def ask(self, operation: Operation, asked: Asked) -> None:
        kind = {} if asked.raw is None else {"Content-Type": operation.media_type}
        body = {"json": asked.fields} if operation.media_type == "application/json" else {"data": asked.fields}
        body = body if asked.raw is None else {"content": asked.raw}
        self.client.cookies.clear()  # one of the questions signs in
        self.client.cookies.update(self._cookies)
        answer = self.client.request(
            operation.method, asked.path, params=asked.query, headers=self._headers | kind, **body
        )
        assert answer.status_code < 500, (operation, asked, answer.text)
        self.heard[answer.status_code] += 1
        # With a line's end in its address a request is not the API's: Starlette mounts lines.
        if operation.path.startswith(PREFIX) and answer.status_code >= 400 and "%0A" not in asked.path:
            assert answer.headers["content-type"] == "application/problem+json", answer.text
            self._problem.validate(answer.json())


@pytest.mark.slow
@on_both_engines
def test_no_value_in_any_one_place_makes_the_console_fail(signed_in, known, engine_name) -> None:
    asker = Asker(signed_in("administrator"))
    assert len(asker.operations) > 30
    for operation in asker.operations:
        parameters = {parameter["name"]: parameter["in"] for parameter in operation.parameters}
        places = [*parameters, *operation.body.get("properties", ())]
        right = {name: known.get(name, [""])[0] for name in places}
        for place in places:
            for value in HOSTILE if engine_name == ENGINES[-1] else UNKEEPABLE:
                said = right | {place: value}
                path, query = operation.path, {}
                for name, where in parameters.items():
                    if where == "path":
                        path = path.replace(f"{{{name}}}", quoted(said[name]))
                    elif said[name] != "":
                        query[name] = said[name]
                fields = {name: said[name] for name in operation.body.get("properties", ())}
                asker.ask(operation, Asked(path, query, fields))
    assert min(asker.heard[200], asker.heard[400], asker.heard[404]) > 20


@pytest.mark.slow
def test_no_question_makes_the_console_fail(signed_in, known) -> None:
    asker = Asker(signed_in("administrator"))

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(questions(asker.operations, known))
    def ask(question: tuple[Operation, Asked]) -> None:
        asker.ask(*question)

    ask()
    assert min(asker.heard[200], asker.heard[400]) > EXAMPLES / 8
