"""Error messages for the person at the terminal."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from producer.terminal.output import visible

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_REMEDIES: Final = {
    errno.ENOSPC: "make room there, then do it again",
    errno.EDQUOT: "make room there, then do it again",
    errno.EROFS: "it lies where nothing may be written",
    errno.EACCES: "this user may not, or not there",
    errno.EPERM: "this user may not, or not there",
}
"""What to do about what a system refuses, behind its own words."""

_OF_TYPE: Final = {"tuple_type": 'it must be a list, in brackets: ["…"]'}
"""In place of pydantic's words, which are about Python."""

_OUT_OF_RANGE: Final = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number")


def in_words(error: BaseException, whole: str = "event") -> str:
    """The message of an error, in one line where possible: no link, no pattern, no value that may be a secret.

    Args:
        error: what was raised.
        whole: the name for the whole input, where a problem belongs to no single field.
    """
    from pydantic import ValidationError  # not for a command that only prints its help

    if isinstance(error, ValidationError) and error.title.endswith("Settings"):
        return "; ".join(map(_of_setting, error.errors(include_url=False, include_context=False)))
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        wrong = {problem["loc"][:-1] for problem in problems}  # a list of which nothing is left is not too short
        return "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or whole}: {_sentence(problem)}"
            for problem in problems
            if problem["type"] != "too_short" or problem["loc"] not in wrong
        )
    if isinstance(error, UnicodeEncodeError):
        what = visible(error.object)
        return f"{what} is no text: it holds bytes that cannot be decoded here (LC_ALL=C.UTF-8 reads UTF-8)"
    if isinstance(error, OSError) and error.errno is not None and error.strerror and error.filename is not None:
        return _of_file(error)
    return str(error) or type(error).__name__


def _sentence(problem: ErrorDetails) -> str:
    return _OF_TYPE.get(problem["type"], problem["msg"].removeprefix("Value error, "))


def _of_file(error: OSError) -> str:
    """What a system refused, by the file or both: Python's own text has a number and quotation marks."""
    files = " to ".join(visible(os.fsdecode(file)) for file in (error.filename, error.filename2) if file is not None)
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{files}: {error.strerror}" + (f" ({remedy})" if remedy else "")


def _of_setting(problem: ErrorDetails) -> str:
    """What is wrong with a setting, under the name of its variable where one is set; an option has the field's name.

    A number that is out of its range is told, any other value may be a secret.
    """
    field = ".".join(map(str, problem["loc"]))
    name = next((name for name in os.environ if name.casefold() == f"inserts_{field}"), field)
    message = problem["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
    value = f", not {problem['input']}" if problem["type"] in _OUT_OF_RANGE else ""
    return f"{name}: {message}{value}" if name else message


@contextmanager
def naming(file: Path | str) -> Iterator[None]:
    """Add the file to an `OSError` of the block that names none: a full disk's error does not by itself.

    Raises:
        OSError: what was raised in the block, with a file.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None or str(file) in str(error):
            raise
        raise OSError(error.errno, error.strerror, str(file)) from error
