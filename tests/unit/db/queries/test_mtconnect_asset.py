"""What a head becomes as an MTConnect cutting tool."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from db.learning.remaining_lives import RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.queries.head_inserts import HeadNow, InsertNow
from db.queries.mtconnect_asset import NAMESPACE, document, item_status, tag_of, tool_status
from db.queries.pockets_now import POCKET_WORDS

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CURVE = SurvivalCurve(tuple(map(float, range(1, 16))))
LIFE = RemainingLife("mill-1", "H12", 2, 3, 9, T0, CURVE, CURVE)

HEAD = HeadNow(
    "Fräse 3",
    "Kopf <7> & Co",
    T0,
    [
        InsertNow(1, "new", operations=0),
        InsertNow(2, "intact", None, "SEKN 1203-AFTN", 3, LIFE),
        InsertNow(3, "damaged", "broken", "SNMG120408", 17),
        InsertNow(4, "damaged", "worn"),
        InsertNow(5, "missing"),
    ],
)
"""No head is called that; what a document makes of such a name is none of a reader's business."""


DOCUMENTED = HeadNow(
    "mill-1",
    "H12",
    T0,
    [
        InsertNow(1, "intact", None, "SEKN 1203 AFTN", 12, replace(LIFE, pocket=1, age=12)),
        InsertNow(2, "damaged", "broken"),
        InsertNow(3, "new", operations=0),
    ],
)
"""That of docs/integration.md."""


def parsed(text: str) -> Element:
    """The cutting tool of a document, with the standard's names alone."""
    root = ElementTree.fromstring(text.replace(f' xmlns="{NAMESPACE}"', "", 1))  # noqa: S314 - our own
    (tool,) = root.findall("Assets/CuttingTool")
    return tool


@pytest.mark.parametrize(
    ("insert", "status"),
    [
        (InsertNow(1, "new", operations=0), "NEW"),
        (InsertNow(1, "intact", operations=0), "NEW"),
        (InsertNow(1, "intact", operations=1), "USED"),
        (InsertNow(1, "intact"), "USED"),
        (InsertNow(1, "damaged", "worn"), "EXPIRED"),
        (InsertNow(1, "damaged", "damaged"), "EXPIRED"),
        (InsertNow(1, "damaged"), "EXPIRED"),
        (InsertNow(1, "damaged", "chipped"), "EXPIRED"),
        (InsertNow(1, "damaged", "broken"), "BROKEN"),
        *(
            (InsertNow(1, word, operations=0), "UNKNOWN")
            for word in POCKET_WORDS
            if word not in ("new", "intact", "damaged")
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.word}-{value.label}-{value.operations}",
)
def test_the_status_of_an_insert_is_what_is_known_of_it(insert, status) -> None:
    assert item_status(insert) == status


@pytest.mark.parametrize(
    ("words", "states"),
    [
        (["new", "new"], ["NEW"]),
        (["new", "intact"], ["USED"]),
        (["new", "intact", "unsure"], ["UNKNOWN"]),
        (["empty", "intact", "damaged"], ["EXPIRED"]),
    ],
    ids=lambda value: "-".join(value),
)
def test_a_head_is_what_its_worst_inserts_are(words, states) -> None:
    assert tool_status([InsertNow(pocket, word) for pocket, word in enumerate(words, 1)]) == states


def test_a_head_with_a_worn_and_a_broken_insert_is_both() -> None:
    assert tool_status(HEAD.inserts) == ["EXPIRED", "BROKEN"]


def test_the_document_says_what_the_line_knows_and_nothing_else() -> None:
    text = document(HEAD, T0 + timedelta(hours=1), "console-1")
    assert text.isascii()
    header = ElementTree.fromstring(text).find(f"{{{NAMESPACE}}}Header")  # noqa: S314 - our own
    assert header.get("creationTime") == "2026-11-22T11:00:00.000Z"
    assert header.get("sender") == "console-1"
    tool = parsed(text)
    assert (tool.get("deviceUuid"), tool.get("serialNumber")) == ("Fräse 3", "Kopf <7> & Co")
    assert tool.get("timestamp") == "2026-11-22T10:00:00.000Z"
    # What the schema takes for each: no blank in an id, and no colon that is not ours.
    assert re.fullmatch(r"_Fr-se-3-[0-9a-f]{16}:_Kopf-7-Co-[0-9a-f]{16}", tool.get("assetId"))
    assert tool.get("toolId") == tool.get("assetId").partition(":")[2]
    assert tool.find("CuttingToolLifeCycle/CuttingItems").get("count") == "5"
    items = tool.findall("CuttingToolLifeCycle/CuttingItems/CuttingItem")
    assert [item.attrib for item in items] == [
        {"indices": "1"},
        {"indices": "2", "itemId": "SEKN1203AFTN"},
        {"indices": "3", "itemId": "SNMG120408"},
        {"indices": "4"},
        {"indices": "5"},
    ]
    assert [item.findtext("Locus") for item in items] == [f"INSERT: {pocket}" for pocket in range(1, 6)]
    assert [item.findtext("CutterStatus/Status") for item in items] == ["NEW", "USED", "BROKEN", "EXPIRED", "UNKNOWN"]
    counted = {"type": "PART_COUNT", "countDirection": "UP"}
    lives = [life if (life := item.find("ItemLife")) is None else (life.text, life.attrib) for item in items]
    assert lives == [
        ("0", counted),
        ("3", counted | {"warning": str(3 + LIFE.low), "limit": str(3 + LIFE.operations)}),
        ("17", counted),
        None,
        None,
    ]


def test_the_documents_example_is_what_a_head_becomes() -> None:
    text = (Path(__file__).parents[4] / "docs" / "integration.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"<!-- example: cutting tool -->\n```xml\n(.*?)```", text, re.DOTALL)
    assert document(DOCUMENTED, T0 + timedelta(hours=1), "console-1") == example


def test_the_tag_is_of_what_is_said_and_not_of_when() -> None:
    assert tag_of(HEAD) == tag_of(replace(HEAD))
    assert tag_of(HEAD) != tag_of(replace(HEAD, inserts=[InsertNow(1, "intact"), *HEAD.inserts[1:]]))
    assert document(HEAD, T0, "a") != document(HEAD, T0 + timedelta(seconds=1), "a")


def test_the_document_keeps_to_the_schema(tmp_path) -> None:
    schema = os.environ.get("INSERTS_TEST_MTCONNECT_XSD")
    if not schema:
        pytest.skip("INSERTS_TEST_MTCONNECT_XSD names no MTConnectAssets_2.0_1.0.xsd")
    if shutil.which("xmllint") is None:
        pytest.skip("xmllint is not installed (libxml2-utils)")
    file = tmp_path / "head.xml"
    file.write_text(document(HEAD, T0, "console-1"), encoding="utf-8")
    checked = subprocess.run(
        ["xmllint", "--nonet", "--noout", "--schema", schema, file], capture_output=True, encoding="utf-8", check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_limit_counts_from_where_the_insert_was_last_seen_intact() -> None:
    unseen = HeadNow("mill-1", "H12", T0, [InsertNow(2, "unsure", operations=5, remaining=LIFE)])
    item = parsed(document(unseen, T0, "host")).find(".//ItemLife")
    assert item is not None
    assert (item.text, item.get("limit")) == ("5", str(LIFE.age + LIFE.operations))
