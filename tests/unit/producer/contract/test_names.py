from __future__ import annotations

import hashlib
import json
import re
import unicodedata

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from producer.contract.answers import stream_of
from producer.contract.event import check_key
from producer.contract.names import MAX_NAME_LENGTH, NARROW, Name, check_name, is_narrow, safe_name

SCHEMA = jsonschema.Draft202012Validator(json.loads(json.dumps(TypeAdapter(Name).json_schema())))
USED = [
    "mill-3",
    "Fräse 3",
    "Kopf Größe 2",
    "Ø80 +45°",
    "Станок №3",
    "加工機（大）3号",
    "フライス盤・２",
    "ماكينة 3",
    "מכונה 7",
    "मशीन ३",
    "เครื่องกัด 2",
    "밀링 1호기",
    "Smith & Söhne, Halle 2 (alt) #4",
    "l’atelier – 2",
    "7",
]
NAMES = st.one_of(
    st.text(max_size=70),
    st.text(alphabet="aZ0._- ", max_size=10),
    st.text(alphabet="äe\u0301ßا加3 .-#（", max_size=12),
    st.text(alphabet=[chr(number) for number in range(256)], max_size=6),
)


@pytest.mark.parametrize("name", USED)
def test_names_in_any_language_are_taken_as_they_are(name: str) -> None:
    assert check_name(unicodedata.normalize("NFC", name)) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("name", ["Fräse 3", "Größe", "한국 2", "Å-1"])
def test_the_same_name_in_another_normal_form_is_the_same_name(name: str) -> None:
    apart = unicodedata.normalize("NFD", name)
    assert apart != name
    assert check_name(apart) == name
    assert safe_name(apart) == safe_name(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "1 to 64 characters, not 0"),
        ("ä" * 65, "1 to 64 characters, not 65"),
        ("mill/3", r"not / \(U\+002F SOLIDUS\)"),
        ("mill\\3", r"not \\ \(U\+005C"),
        ("mill:3", r"not : \(U\+003A COLON\)"),
        ("=1+1", r"not = \(U\+003D"),
        ("+1", r"begins with a letter or a digit, not with \+"),
        ("-rf", "begins with a letter or a digit, not with -"),
        ("@mill", r"not @ \(U\+0040"),
        ("..", "begins with a letter or a digit"),
        (" mill", "begins with a letter or a digit, not with a blank"),
        ("mill ", "no blank at its end"),
        ("mill  3", "never two in a row"),
        ("mill\n3", r"but not U\+000A"),
        ("mill\x1b[31m", r"but not U\+001B"),
        ("mill\u00a03", r"but not U\+00A0 NO-BREAK SPACE"),
        ("mill\u30003", r"but not U\+3000 IDEOGRAPHIC SPACE"),
        ("mill\u202e3", r"but not U\+202E RIGHT-TO-LEFT OVERRIDE"),
        ("mill\u200b3", r"but not U\+200B ZERO WIDTH SPACE"),
        ("mill\ufeff", r"but not U\+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("mill\u3164", r"but not U\+3164 HANGUL FILLER"),
        ("mill\ufe0f", r"but not U\+FE0F VARIATION SELECTOR-16"),
        ("\u0308mill", r"begins with a letter or a digit, not with U\+0308 COMBINING DIAERESIS"),
        ("[red]mill", r"not \[ \(U\+005B"),
        ("<b>mill", "not < "),
        ("mill'; DROP", "not ' "),
        ("mill*", r"not \* "),
        ("🔩 3", "not 🔩"),
        ("\ud800", r"but not U\+D800"),
    ],
)
def test_what_may_not_be_in_a_name_is_named_in_words(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        check_name(name)
    assert str(refused.value).encode(errors="surrogatepass").decode().isprintable(), "nothing of it acts on a terminal"
    assert "pattern" not in str(refused.value)


@given(st.from_regex(NARROW, fullmatch=True))
def test_a_name_of_version_1_stays_what_it_is_everywhere(name: str) -> None:
    assert check_name(name) == safe_name(name) == name
    assert stream_of(name) == f"verdicts:{name}"


@given(NAMES)
def test_a_name_that_is_taken_is_harmless(text: str) -> None:
    try:
        name = check_name(text)
    except ValueError:
        return
    assert check_name(name) == name == unicodedata.normalize("NFC", name)
    assert name == name.strip()
    assert 1 <= len(name) <= MAX_NAME_LENGTH
    assert name.isprintable()
    assert not set(name) & set("/\\:\"'`<>[]{}|=@$*?!~^;%\t\n\r\0")
    assert name[0] not in "=+-@._"
    SCHEMA.validate(name)


@given(st.text(alphabet=[chr(number) for number in range(128)], max_size=8))
def test_of_ascii_the_schema_takes_what_the_code_takes(text: str) -> None:
    try:
        check_name(text)
        taken = True
    except ValueError:
        taken = False
    assert SCHEMA.is_valid(text) == taken


@given(st.lists(st.one_of(NAMES, st.sampled_from(USED)), min_size=2, max_size=2))
def test_a_safe_form_is_a_segment_of_a_key_and_nobody_else_s(names: list[str]) -> None:
    names = [unicodedata.normalize("NFC", name) for name in names if name.isprintable() or not name.isascii()]
    names = [name for name in names if not any(0xD800 <= ord(each) < 0xE000 for each in name)]
    safe = {name: safe_name(name) for name in names}
    for name, form in safe.items():
        assert check_key(f"{form}/a.jpg")
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", form)
        assert is_narrow(name) == (form == name)
        assert not is_narrow(form) or form == name
    assert len(set(safe.values())) == len(safe)


def test_the_safe_form_is_the_documented_one() -> None:
    digest = hashlib.sha256("Prüfplatz 1".encode()).hexdigest()[:16]
    assert safe_name("Prüfplatz 1") == f"_Pr-fplatz-1-{digest}"
    assert safe_name("加工機--3") == f"_-3-{hashlib.sha256('加工機--3'.encode()).hexdigest()[:16]}"
    assert safe_name("a" * 65).startswith(f"_{'a' * 40}-")
