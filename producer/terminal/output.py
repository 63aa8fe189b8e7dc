"""Printing for the commands: any text in any encoding, without an error and without effect on the terminal.

All output of a command passes through here (or, with colours and tables, through `producer.terminal.console`):
unprintable characters are escaped, passwords in URLs are hidden, and what the reader's encoding lacks is replaced.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TextIO, cast

from producer.terminal.redaction import discreet

REPLACE: Final = "insert-inspection-replace"
"""The name of the error handler for what an encoding lacks."""

# What this project's own sentences and tables are made of, in one ASCII character each, so that columns stay in line.
_STAND_INS: Final = str.maketrans("–—−…×·±≤≥✓✗★○→►◄“”„‘’", '---.x*+<>+x*o>><"""\'\'')

_ESCAPED: Final = re.compile(r"[^\n -~]")
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")


class ReaderGone(Exception):
    """The reader of the output has closed it, as `head` does. No `OSError`, which Typer would handle itself."""


class Dumps(Protocol):
    """A Pydantic model, as far as it is printed."""

    def model_dump(self, *, mode: str, exclude_none: bool) -> Any:
        """Its values, for JSON where that is the mode."""
        ...


class SupportsWrite(Protocol):
    """Something that text can be written to."""

    def write(self, text: str, /) -> object:
        """Write it."""
        ...


def prepare_streams() -> None:
    """Let standard output and error replace what their encoding lacks, and standard input what it cannot decode.

    Called once by each command's entry point. The encoding stays what the environment says: that of the reader. A
    stream that was closed before (`>&-`), for which Python has None, leads nowhere. Whoever writes to standard output,
    this project or a library's help text, hears which stream could not be written, or that its reader is gone.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the command runs
            setattr(sys, name, nowhere)
    codecs.register_error(REPLACE, _replaced)
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, REPLACE), (sys.stderr, REPLACE)):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)
    if not isinstance(sys.stdout, _Answers):
        sys.stdout = cast(TextIO, _Answers(sys.stdout))


def visible(text: str, keep: str = "") -> str:
    """The text with what does not print written out: `\\x1b` for a terminal's escape, `\\u202e` for a change of
    direction, `\\xff` for a byte of a file's name that is no text. Characters in `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character in keep or character.isprintable() else _written_out(character) for character in text
    )


def say(text: object = "", end: str = "\n") -> None:
    """Print an answer on standard output; its line breaks and tabs stay.

    Raises:
        ReaderGone: the reader has closed standard output.
    """
    _print(visible(str(text), "\n\t"), sys.stdout, end)


def note(text: object) -> None:
    """Print on standard error: an error, a warning, what happens meanwhile. Passwords in it are hidden."""
    _print(discreet(visible(str(text), "\n\t")), sys.stderr)


def say_json(value: Any, indent: int | None = None) -> None:
    """Print a JSON value on one line of standard output: valid for who reads UTF-8, as JSON wants it, whatever its
    encoding. Only a document that people keep, as a schema, has an `indent`.
    """
    _print(json_text(value, sys.stdout.encoding, indent), sys.stdout)


def say_model(model: Dumps, *, exclude_none: bool = False) -> None:
    """Print a Pydantic model as `say_json`."""
    # Not Pydantic's own JSON: that ends with an error on what is no text.
    say_json(model.model_dump(mode="json", exclude_none=exclude_none))


def answer_stream() -> SupportsWrite:
    """Where data of any length goes: standard output as it is, for a program; a terminal sees it `visible`."""
    return _Shown() if sys.stdout.isatty() else sys.stdout


class _Shown:
    def write(self, text: str) -> None:
        say(text, end="")


def json_text(value: Any, encoding: str | None = "utf-8", indent: int | None = None) -> str:
    """A value as JSON. What does not print is escaped as JSON escapes it; where the encoding is none of Unicode's, so
    is all but ASCII: programs read JSON as UTF-8 (RFC 8259, 8.1) and a byte of another encoding spoils it for them.

    A byte of a file's name that is no text is written out, as for people: `\\\\xff`. JSON has no other way, and many
    programs refuse a whole document for a surrogate without its pair (8.2).
    """
    text = _NO_TEXT.sub(_written_out_in_json, json.dumps(value, indent=indent, ensure_ascii=False))
    if not text.isascii() or not text.isprintable():
        unicode = encoding is not None and codecs.lookup(encoding).name.startswith("utf")
        text = _ESCAPED.sub(_kept_or_escaped if unicode else _escaped, text)
    return text


def _print(text: str, stream: TextIO, end: str = "\n") -> None:
    with _writing_to(stream):
        print(text, file=stream, end=end, flush=True)


class _Answers:
    """Standard output; all that is not about writing is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _writing_to(self._stream):
            return self._stream.write(text)

    def flush(self) -> None:
        with _writing_to(self._stream):
            self._stream.flush()


@contextmanager
def _writing_to(stream: TextIO) -> Iterator[None]:
    """Have an error of writing say which stream it is about; a reader that has gone is none."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:  # a full disk
        raise OSError(error.errno, error.strerror, stream.name) from None


def _written_out_in_json(match: re.Match[str]) -> str:
    return f"\\{_written_out(match[0])}"


def _kept_or_escaped(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else _escaped(match)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return json.dumps(character)[1:-1] if ord(character) != 0x7F else "\\u007f"


def _written_out(character: str) -> str:
    code = ord(character)
    # Python's way to carry a byte that could not be decoded (PEP 383).
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else repr(character)[1:-1]


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_stand_in, lacking)), error.end


def _stand_in(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return _written_out(character)
    stand_in = character.translate(_STAND_INS)
    return stand_in if stand_in.isascii() else "?"
