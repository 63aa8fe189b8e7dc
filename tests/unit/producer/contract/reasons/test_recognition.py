"""Every reason can be told from its sentence, and nobody says one in words of their own."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from db.line.check_answers import CheckSummary
from db.line.contradictions import Doubt
from producer.contract.reasons import checks, faults, file_kinds, image_files, photographs, stations
from producer.contract.reasons.recognition import LONGEST, SUBJECTS, TEMPLATES, recognised
from producer.contract.reasons.template import IN_OTHER_WORDS, KINDS, Reason, numbered
from producer.pictures.image_formats import FORMATS
from producer.pictures.jpeg_structure import JpegStructure
from worker.images.bit_depth import EightBits
from worker.images.decoding import DecodedPhotograph
from worker.images.unusable_error import UnusableImage
from worker.line.active_models import ModelPair
from worker.line.faults import CaptureFault
from worker.line.image_fetch import RefusedImage
from worker.models.line_model import Judgement

ROOT = Path(__file__).parents[5]

WORDS = st.text("Hint_9/.", min_size=1, max_size=9)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
WHOLE = st.integers(0, 10**12)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "": WORDS,
    "name": WORDS,
    "reason": WORDS.map(lambda name: file_kinds.IMAGE(format=name)),
    "words": WORDS,
    "reasons": st.lists(WORDS.map(lambda head: checks.HEAD(head=head)), min_size=1, max_size=3),
    "and": st.lists(WORDS, min_size=1, max_size=3),
    "or": st.lists(st.sampled_from(FORMATS), min_size=1, max_size=4),
    "d": WHOLE,
    ",": WHOLE,
    "g": st.floats(-1e12, 1e12),
    ".2g": st.floats(0, 1),
    ".3f": st.floats(0, 2),
    ".0%": st.floats(0, 9),
    "moment": st.datetimes(EPOCH, EPOCH.replace(year=9000), timezones=st.just(UTC)),
    "pockets": st.sets(st.integers(1, 999), min_size=1, max_size=9),
    "ranges": st.sets(st.integers(1, 20), min_size=1, max_size=9).map(sorted),
}


@given(st.data())
@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])  # to shrink all of them takes minutes
def test_each_reason_is_recognised_by_its_sentence(data: st.DataObject) -> None:
    for template in TEMPLATES.values():
        reason = template(**{name: data.draw(VALUES[kind]) for name, kind in template.places.items()})
        again = recognised(str(reason))
        assert again is not None
        assert (again.template, str(again)) == (template, reason)
        assert all(KINDS[kind].write(again.values[name]) in reason for name, kind in template.places.items())


@given(st.text(max_size=300))
def test_whatever_is_recognised_has_the_very_words_of_the_sentence(text: str) -> None:
    for sentence in (text, f"no photograph: {text}", f"contradiction: {text}", f"'{text}' has more than 3 bytes"):
        assert str(recognised(sentence) or sentence) == sentence


@pytest.mark.parametrize("sentence", ["", "[Errno 5] Input/output error", "no image", "x" * (LONGEST + 1)])
def test_other_words_are_recognised_as_nothing(sentence: str) -> None:
    assert recognised(sentence) is None


def test_a_sentence_is_read_back_with_its_values() -> None:
    moment = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
    reason = checks.SEVERAL_REPEATED(pockets={9, 3}, before=checks.OPERATION(operation="op 7"), at=moment)
    assert reason == (
        "the photograph of pockets 3, 9 is that of operation op 7 at 2026-11-03 14:05 UTC: photograph them anew"
    )
    again = recognised(str(reason))
    assert again is not None
    assert again.values == {"pockets": (3, 9), "before": "operation op 7", "at": moment}
    assert recognised(str(reason).replace("2026-11", "2026-13")) is None


def test_a_reason_within_another_one_is_one_of_the_vocabulary() -> None:
    reason = stations.NO_PHOTOGRAPH(problem=stations.IN_FILE(file="7.jpg", problem=stations.POCKETS_OF_HEAD(count=5)))
    assert reason == "no photograph: 7.jpg: the head has 5 pockets, so it was not handed in"
    again = recognised(str(reason))
    assert again is not None
    assert again.template is stations.NO_PHOTOGRAPH
    inner = again.values["problem"]
    assert (inner.template, inner.values["file"]) == (stations.IN_FILE, "7.jpg")
    assert inner.values["problem"].template is stations.POCKETS_OF_HEAD
    assert recognised("pocket: Input should be greater than or equal to 1") is None


@pytest.mark.parametrize(
    ("pockets", "said"),
    [
        ([2], "pocket 2"),
        ([2, 3], "pockets 2, 3"),
        ([2, 4, 5, 6], "pockets 2, 4 to 6"),
        ([1, 2, 3, 9], "pockets 1 to 3, 9"),
    ],
    ids=str,
)
def test_pockets_in_a_row_are_said_as_one(pockets: list[int], said: str) -> None:
    assert numbered(pockets) == said
    assert KINDS["ranges"].read(said) == tuple(pockets)


def test_a_long_sentence_of_anybody_costs_little() -> None:
    """Stations may send what they like: a pattern that goes back and forth in it would take minutes."""
    for part in (" of ", "; ", " and ", ": ", " is that of ", "', 9"):
        for template in TEMPLATES.values():
            template.read((template.beginning + part * LONGEST)[:LONGEST])
    for part in ("a: ", "no photograph: ", "operation x on ", "pockets 1 to 999, "):
        sentence = (part * LONGEST)[:LONGEST]
        assert str(recognised(sentence) or sentence) == sentence


def test_a_template_takes_a_value_for_each_place_and_no_other() -> None:
    with pytest.raises(TypeError, match=r"has the places \['share'\], not \[\]"):
        photographs.DARK()
    with pytest.raises(TypeError, match="not \\['share'\\]"):
        photographs.BLACK(share=0.1)


def test_a_reason_can_be_copied_and_sent_to_another_process() -> None:
    reason = faults.CRASHED(attempts=3)
    for again in (copy.deepcopy(reason), pickle.loads(pickle.dumps(reason))):  # noqa: S301 - our own
        assert (again, again.template, again.values) == (reason, faults.CRASHED, {"attempts": 3})


def test_no_two_templates_say_the_same() -> None:
    texts = [template.text for template in TEMPLATES.values()]
    assert sorted(set(texts)) == sorted(texts)
    assert {kind for template in TEMPLATES.values() for kind in template.places.values()} <= KINDS.keys()


def test_templates_stand_in_the_modules_of_reasons_alone() -> None:
    """So that none is forgotten by those who recognise and translate them."""
    making = {
        file.relative_to(ROOT).as_posix()
        for package in ("producer", "db", "worker")
        for file in (ROOT / package).rglob("*.py")
        if re.search(r"\b(Template|Reason)\((?!str\))", file.read_text("utf-8"))
    }
    subjects = {Path(str(subject.__file__)).relative_to(ROOT).as_posix() for subject in SUBJECTS}
    assert making == {*subjects, *(f"producer/contract/reasons/{name}.py" for name in ("template", "recognition"))}
    assert TEMPLATES["image_files.EMPTY"] is image_files.EMPTY
    assert IN_OTHER_WORDS not in TEMPLATES.values()


@pytest.mark.parametrize(
    ("of", "field"),
    [
        (Judgement, "reason"),
        (UnusableImage.__init__, "reason"),
        (DecodedPhotograph, "doubt"),
        (EightBits, "doubt"),
        (JpegStructure, "problem"),
        (RefusedImage, "reason"),
        (CaptureFault, "detail"),
        (ModelPair, "why_none"),
        (Doubt, "why"),
        (CheckSummary, "reason"),
    ],
    ids=lambda of: getattr(of, "__qualname__", of),
)
def test_only_a_template_makes_what_is_written_as_a_reason(of: Any, field: str) -> None:
    """mypy refuses any other text there, and only a template makes a `Reason`."""
    assert get_type_hints(of)[field] in (Reason, Reason | None)
    with pytest.raises(TypeError):
        Reason("in words of my own")  # type: ignore[call-arg, arg-type]
