from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from producer.terminal.output import note, say, say_json, say_model, visible
from tests.terminal_support import Streams

ENCODINGS = ["cp1252", "cp437", "ascii", "latin-1", "koi8-r", "utf-8", "utf-16"]

# Everything that a str may hold: a name's undecodable bytes and lone surrogates too.
ANYTHING = st.text(st.characters(exclude_categories=()))

HOSTILE = ["\x1b[2J", "\x1b]0;title\x07", "\r", "\x9b31m", "\u202eevil\u2066", "\udcff", "\x00", "\x7f", "\u2028"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=ANYTHING)
def test_any_text_is_printed_in_any_encoding_without_an_error(encoding: str, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        terminal = Streams(patch, encoding)
        say(text)
        note(text)
        assert terminal.shown().endswith("\n")
        assert terminal.shown("stderr").endswith("\n")


@given(text=ANYTHING)
def test_no_text_can_do_anything_to_a_terminal(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        terminal = Streams(patch, "utf-8")
        say(text)
        shown = terminal.shown().replace("\n", "").replace("\t", "")
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_does_not_print_is_written_out(text: str) -> None:
    assert visible(f"a{text}b").isprintable()
    assert visible("\x1b[31m") == r"\x1b[31m"
    assert visible("\udcff") == r"\xff"  # the byte that it was


@pytest.mark.parametrize("text", ["Fräse 3 – Kopf ±", "头 7", "[red]", "[/a]", ":smile:", r"C:\new", "نوح"])
def test_text_that_prints_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    terminal = Streams(monkeypatch, "utf-8")
    say(text)
    assert terminal.shown() == f"{text}\n"


def test_what_an_encoding_lacks_takes_one_character_so_that_columns_stay_in_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Streams(monkeypatch, "ascii")
    say("– … · × ★ ü 头")
    assert terminal.shown() == "- . * x * ? ?\n"


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | ANYTHING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(value=VALUES, indent=st.none() | st.just(2))
def test_json_is_the_same_value_in_every_encoding(encoding: str, value: Any, indent: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        terminal = Streams(patch, encoding)
        say_json(value, indent)
        assert json.loads(terminal.shown()) == written_out(value)


def written_out(value: Any) -> Any:
    """The value with what is no text, a byte of a file's name, as people see it."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", lambda match: visible(match[0]), value)
    if isinstance(value, list):
        return list(map(written_out, value))
    return {written_out(name): written_out(of) for name, of in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_name_that_is_no_text_makes_json_for_every_program(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    class Named(BaseModel):
        file: str

    terminal = Streams(monkeypatch, encoding)
    say_json({"file": "Fr\udce4se.jpg"})
    say_model(Named(file="Fr\udce4se.jpg"))
    lines = terminal.shown().splitlines()
    # This reader refuses lone surrogates.
    assert [pydantic_core.from_json(line.encode()) for line in lines] == [{"file": r"Fr\xe4se.jpg"}] * 2


@pytest.mark.parametrize(
    ("encoding", "machine"),
    [("utf-8", "Fräse 头\\u009b"), ("cp1252", "Fr\\u00e4se \\u5934\\u009b"), ("ascii", "Fr\\u00e4se \\u5934\\u009b")],
)
def test_json_is_readable_in_utf_8_and_is_utf_8_in_every_other_encoding_too(
    monkeypatch: pytest.MonkeyPatch, encoding: str, machine: str
) -> None:
    terminal = Streams(monkeypatch, encoding)
    say_json({"machine": "Fräse 头\x9b"})
    assert terminal.shown() == f'{{"machine": "{machine}"}}\n'


def test_a_password_in_an_error_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Streams(monkeypatch, "utf-8")
    note("no such host: redis://station:s#cret@host/0")
    assert "cret" not in terminal.shown("stderr")
