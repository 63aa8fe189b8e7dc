"""Reasons in the reader's language."""

from datetime import UTC, datetime

import pytest
from babel import Locale

from db.console.reader import formats, reasons
from producer.contract.reasons import checks, faults, file_kinds, image_files, models, photographs, promotion, stations
from producer.contract.reasons.template import KINDS

GERMAN, SPANISH, ENGLISH = map(Locale.parse, ("de", "es", "en_GB"))


@pytest.fixture(autouse=True)
def _in_the_plant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LOCALTZ", UTC)


def test_numbers_are_the_readers() -> None:
    sentence = str(models.UNSURE_BAND(probability=0.48, lower=0.3, upper=0.7))
    assert reasons.translated(GERMAN, sentence) == (
        "die Wahrscheinlichkeit eines Schadens, 0,480, liegt im unsicheren Bereich, 0,300 bis 0,700"
    )
    assert reasons.translated(SPANISH, sentence) == (
        "la probabilidad de daño, 0,480, está en la franja dudosa, de 0,300 a 0,700"
    )
    assert reasons.translated(ENGLISH, sentence) == sentence


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (image_files.FILE_TOO_LARGE(size=70_000_000, most=67_108_864), "70.000.000 Byte, höchstens 67.108.864"),
        (photographs.DARK(share=0.29), "Sie hat 29\N{NO-BREAK SPACE}% der an ihrer Station üblichen Helligkeit"),
        (image_files.FLOATS(low=-1.5, high=float("inf")), "Gleitkommawerte von -1,5 bis ∞"),
        (image_files.SEVERAL_OF(pictures=2, sizes=["64×48", "32×24"]), "2 Bilder von 64×48 und 32×24 Pixeln"),
        (faults.UNREADABLE(key="a/1.jpg", problem="[Errno 5] I/O error"), "„a/1.jpg“ ist nicht lesbar: [Errno 5]"),
        # A reason within another one, out of a station of any version.
        (image_files.HALF(problem=image_files.JPEG_ENDS()), "unvollständig (die JPEG-Datei endet vor ihrer Endmarke)"),
        (
            stations.NO_PHOTOGRAPH(problem=stations.IN_FILE(file="7.jpg", problem=stations.POCKETS_OF_HEAD(count=5))),
            "keine Aufnahme: 7.jpg: der Fräskopf hat 5 Plattensitze, daher wurde sie nicht abgegeben",
        ),
        (stations.MISSING(pockets=[2, 4, 5, 6]), "keine Aufnahme für Plattensitze 2, 4–6"),
        (stations.NO_PHOTOGRAPH(problem="it was too late"), "keine Aufnahme: it was too late"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_each_place_is_said_in_its_way(reason: str, said: str) -> None:
    assert said in str(reasons.translated(GERMAN, str(reason)))


def test_what_the_promotion_rule_says_is_said_with_the_readers_numbers() -> None:
    compared = {"ours": 0.745, "theirs": 0.669}
    reason = promotion.NOT_WORSE(score=promotion.BALANCED_ACCURACY(), **compared, chance=promotion.CHANCE(chance=0.842))
    assert reason == "balanced accuracy 0.745 against the champion's 0.669: not worse (p = 0.84)"
    assert reasons.translated(GERMAN, str(reason)) == (
        "ausgewogene Trefferquote 0,745 gegen 0,669 des Modells im Einsatz: nicht schlechter (p = 0,84)"
    )
    lacking = promotion.NOT_BY_INSERT(problem=promotion.ONE_GROUP())
    assert reasons.translated(SPANISH, str(lacking)) == (
        "no se puede medir por plaquitas: todas las imágenes son de un solo grupo; una partición por grupos necesita "
        "al menos dos"
    )


def test_a_contradiction_is_said_part_by_part() -> None:
    at = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
    parts = [
        checks.BEYOND(pockets=[3], size=2),
        checks.ELSEWHERE(pockets=[1, 2], place=checks.MACHINE(machine="mill-1", head="head-2")),
        checks.SEVERAL_REPEATED(pockets=[4, 5], before=checks.OPERATION(operation="op-7"), at=at),
    ]
    assert reasons.translated(GERMAN, str(checks.CONTRADICTION(parts=parts))) == (
        "Widerspruch: Plattensitz 3 in einer Prüfung von 2; Plattensitze 1, 2 von Maschine mill-1, Fräskopf head-2; "
        "Plattensitze 4, 5: Die Aufnahmen gab es schon (Bearbeitung op-7, 03.11.26, 14:05): neu aufnehmen"
    )


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("a PNG whose header is damaged: hand in the original file again", "sondern ein PNG mit beschädigtem Kopf"),
        (
            "a TIFF of a kind that is not read, or damaged in its header: " + file_kinds.SAVE_GREY_OR_RGB.text,
            "sondern ein TIFF, das nicht gelesen wird oder im Kopf beschädigt ist",
        ),
        ("a GIF image: save it as JPEG, PNG or BMP", "als JPEG, PNG oder BMP speichern"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_an_earlier_version_stored_is_said_too(sentence: str, said: str) -> None:
    assert said in str(reasons.translated(GERMAN, f"this is no image that can be read, but {sentence}"))


def test_formats_are_listed_in_the_readers_language() -> None:
    reason = file_kinds.NO_IMAGE(formats=("JPEG", "PNG", "BMP"))
    assert reason == "this is no image that can be read (JPEG, PNG or BMP): save it anew as one of these"
    assert "(JPEG, PNG o BMP)" in str(reasons.translated(SPANISH, str(reason)))


def test_other_words_are_no_reason_of_the_vocabulary() -> None:
    assert reasons.translated(GERMAN, "pocket: Input should be greater than or equal to 1") is None


def test_every_kind_of_place_can_be_said() -> None:
    assert reasons._WRITTEN.keys() == KINDS.keys()
