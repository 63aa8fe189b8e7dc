"""Events, messages and answers as a broken or hostile sender might write them, from a source of randomness."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any, Final
from uuid import UUID

from producer.contract.event import INSPECT_QUEUE, INSPECT_TASK
from tests.support import message as good_event

DEEP: Final = "nested to the depth of "
HUGE: Final = "a number of digits: "
"""What begins with one of these stands for a value that `json.dumps` cannot write; see `json_text` and `as_values`."""

_NAMES = ["", "a\x00b", "\ud800", "\u202eabc", "ä", "e\u0301", "🔩", "a b", "a\n", "..", ".", "-a", "verdicts:*"]
_NAMES += ["Fräse 3", "加工機（大）", "ماكينة", "a\u3164", "a\ufe0f", "\u0308a", "=a", "a ", "a  b", "ä" * 65]
_KEYS = [
    "../a.jpg",
    "/etc/passwd",
    "C:\\a.jpg",
    "a/../../b",
    "%2e%2e/a",
    "．．/a",
    "a//b",
    "a/",
    "./a",
    "a/" * 300,
    "CON",
]
_TIMES = [
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "2026-11-22T24:00:00Z",
    "2026-11-22T10:00:60Z",
    "2026-11-22T10:00:00+99:99",
    "2026-11-22T10:00:00." + "9" * 400 + "Z",
    "-2026-11-22T10:00:00Z",
    "10000-01-01T00:00:00Z",
    "2026-W47-7",
    "1e12",
]
_NUMBERS = [0, -1, 1, 999, 1000, 7.0, -0.0, 1e308, 2**31 - 1, 2**31, 2**63, 10**30, float("nan"), float("-inf")]
_IDS = ["00000000-0000-7000-8000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff", "{}", "urn:uuid:x", "0" * 32]
_OTHERS: list[Any] = [
    None,
    True,
    "7",
    "2026",
    {},
    [],
    [[]],
    {"": {}},
    {"__type__": "uuid", "__value__": "x"},
    "a" * 70_000,
]
_FIELDS = ["colour", "__class__", "$ref", "a\x00", "schema_version", "pocket", "region", "\ud83d"]


def odd_value(rng: Random) -> Any:
    """Something that may stand where a field's value is expected."""
    family: list[Any] = rng.choice([_NAMES, _KEYS, _TIMES, _NUMBERS, _IDS, _OTHERS, ["deep"], ["huge"], ["text"]])
    value = rng.choice(family)
    if value == "deep":
        return f"{DEEP}{rng.choice([10, 51, 900, 1100, 20_000])}"
    if value == "huge":
        return f"{HUGE}{rng.choice([5, 20, 400, 4300, 4400])}"
    if value == "text":
        return "".join(chr(rng.choice([rng.randrange(128), rng.randrange(0x110000)])) for _ in range(rng.randrange(90)))
    return copy.deepcopy(value)  # what becomes of it must not be in the next one


def uuid7(rng: Random) -> str:
    """A UUIDv7 that the same randomness gives again."""
    return str(UUID(int=rng.getrandbits(128) & ~(0xF << 76) & ~(3 << 62) | 7 << 76 | 2 << 62))


def event(rng: Random) -> Any:
    """A capture event, changed in up to four places, or something else altogether."""
    value: Any = good_event(schema_version=rng.choice([1, 2]), capture_id=uuid7(rng), check_id=uuid7(rng))
    if rng.random() < 0.5:
        value |= {"region": {"left": 0, "top": 2, "width": 30, "height": 40}, "edge": 2, "operations_on_edge": 12}
    return _changed(rng, value, 4)


def message(rng: Random) -> bytes:
    """A message of the inspect queue, well-formed or damaged in its envelope, its body or both."""
    options = [json_text(rng, [[event(rng)], {}, {}])]
    if rng.random() < 0.2:
        options.append(json_text(rng, [[json_text(rng, event(rng))], {}, {}]))
        options.append(json_text(rng, _changed(rng, [[{}], {}, {}], 3)))
    body = base64.b64encode(rng.choice(options).encode(errors="surrogatepass")).decode()
    headers = {"task": INSPECT_TASK, "id": uuid7(rng), "retries": rng.choice([0, 3]), "eta": None, "lang": "py"}
    delivery = {"exchange": "", "routing_key": INSPECT_QUEUE}
    properties = {"body_encoding": "base64", "delivery_tag": "a tag", "delivery_info": delivery, "priority": 0}
    whole: Any = {
        "body": body,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers,
        "properties": properties,
    }
    if rng.random() < 0.3:
        part, name, value = rng.choice(
            [
                (whole, "body", rng.choice([body[:-3], body + "%", "", body.replace("=", "")])),
                (whole, "content-type", rng.choice(["application/x-python-serialize", "application/data", ""])),
                (whole, "content-encoding", rng.choice(["utf-7", "binary", "utf-16", "zlib", None])),
                (properties, "body_encoding", rng.choice(["base85", "", None])),
                (headers, rng.choice(["eta", "retries", "compression", "expires", "timelimit"]), rng.choice(_TIMES)),
                *((each, rng.choice(list(each)), odd_value(rng)) for each in (whole, headers, properties)),
            ]
        )
        part[name] = value
    return _damaged(rng, json_text(rng, whole).encode(errors="surrogatepass"))


def answer(rng: Random) -> bytes:
    """What may lie on a station's stream of answers."""
    common = {"check_id": uuid7(rng), "machine": "mill-3", "head": "H12"}
    judged = {"capture_id": uuid7(rng), "pocket": 7, "outcome": "damaged", "decision": 1.5, "model": "m"}
    options: list[dict[str, Any]] = [
        {"kind": "verdict", **common, **judged, "judged_at": "2026-11-22T10:00:00Z", "label": "worn"},
        {"kind": "fault", "capture_id": uuid7(rng), "reason": "image_missing: x", "at": "2026-11-22T10:00:00Z"},
        {"kind": "check", **common, "operation": "op-1", "size": 9, "state": "review", "replace": [1], "missing": [3]},
    ]
    return _damaged(rng, json_text(rng, _changed(rng, rng.choice(options), 3)).encode(errors="surrogatepass"))


def json_text(rng: Random, value: Any) -> str:
    """A JSON text of `value`, sometimes with a key twice."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.8)
    text = _replaced(text, DEEP, lambda depth: "[" * depth + "]" * depth)
    text = _replaced(text, HUGE, lambda digits: "9" * digits)
    if rng.random() < 0.1 and text.startswith("{") and text.endswith("}"):
        text = text[:-1] + ', "pocket": 8, "pocket": 9}'
    return text


def as_values(value: Any) -> Any:
    """`value` with everything in place of what stands for it: what no JSON parser would let through, perhaps."""
    if isinstance(value, dict):
        return {name: as_values(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_values(each) for each in value]
    if isinstance(value, str) and value.startswith(DEEP):
        nested: list[Any] = []
        for _ in range(int(value.removeprefix(DEEP))):
            nested = [nested]
        return nested
    if isinstance(value, str) and value.startswith(HUGE):
        return 10 ** int(value.removeprefix(HUGE)) - 1
    return value


def _replaced(text: str, marker: str, made: Callable[[int], str]) -> str:
    while (at := text.find(f'"{marker}')) >= 0:
        end = text.index('"', at + 1)
        text = text[:at] + made(int(text[at + 1 + len(marker) : end])) + text[end + 1 :]
    return text


def _changed(rng: Random, value: Any, most: int) -> Any:
    for _ in range(rng.randrange(most + 1)):
        inner = value.get("region") if isinstance(value, dict) and rng.random() < 0.2 else value
        if not isinstance(inner, dict | list) or not inner:
            return value
        name: Any = rng.choice(list(inner) if isinstance(inner, dict) else list(range(len(inner))))
        way = rng.randrange(8)
        if way == 0:
            del inner[name]
        elif way == 1 and isinstance(inner, dict):
            inner[rng.choice(_FIELDS)] = odd_value(rng)
        elif way == 2 and isinstance(inner, dict):
            inner[name] = rng.choice(list(inner.values()))
        else:
            inner[name] = odd_value(rng)
    return odd_value(rng) if rng.random() < 0.02 else value


def _damaged(rng: Random, raw: bytes) -> bytes:
    way = rng.randrange(40)
    if not raw or way > 4:
        return raw
    at = rng.randrange(len(raw))
    changed: list[bytes] = [
        raw[:at],
        raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :],
        b"\xef\xbb\xbf" + raw,
        raw.decode(errors="replace").encode("utf-16"),
        raw[:at] + raw[at // 2 :],
    ]
    return changed[way]
