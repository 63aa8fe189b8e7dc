"""Names of stations, machines, heads and operations: what they may be, and their safe form in keys, streams and files.

Two are the same name when they are the same characters in Unicode's normal form C; capitals count.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, WithJsonSchema

MAX_NAME_LENGTH: Final = 64
"""Characters (Unicode's code points) of a name in normal form C."""

NARROW: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""A name of version 1 of the contract, and one that is its own safe form."""

PUNCTUATION: Final = "._-+#&,()°№–’·・（）"
"""What names may have besides letters, digits and blanks.

Nothing that separates the parts of a path or a key (`/ \\ :`), quotes, begins an option, a formula or an expansion
within a name (`= @ $ * ? ! ~`), or is markup (`< > [ ]`).
"""

ALLOWED: Final = f"letters and digits of any language, blanks, and {' '.join(PUNCTUATION)}"

# Letters and marks that show nothing: two names that look the same would not be the same. From the property
# Default_Ignorable_Code_Point, which `unicodedata` does not have: https://www.unicode.org/reports/tr44/
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_LETTERS: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No"})
_MARKS: Final = frozenset({"Mn", "Mc"})

_NARROW: Final = re.compile(NARROW)
_READABLE: Final = 40
_DIGEST: Final = 16


def check_name(name: str) -> str:
    """Return `name` in normal form C, if it may be one.

    Raises:
        ValueError: it is empty or too long, begins or ends with what it may not, or has a character that it may not;
            the message names that character.
    """
    if is_narrow(name):
        return name
    name = unicodedata.normalize("NFC", name)
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise ValueError(f"a name has 1 to {MAX_NAME_LENGTH} characters, not {len(name)}")
    for character in name:
        if not _may_be_in_a_name(character):
            raise ValueError(f"a name may have {ALLOWED}, but not {_shown(character)}")
    if unicodedata.category(name[0]) not in _LETTERS:
        raise ValueError(f"a name begins with a letter or a digit, not with {_shown(name[0])}")
    if name.endswith(" ") or "  " in name:
        raise ValueError("a name has no blank at its end and never two in a row")
    return name


def is_narrow(name: str) -> bool:
    """Whether a name is of version 1: letters A to Z, digits, `.`, `_` and `-`."""
    return _NARROW.fullmatch(name) is not None


def safe_name(name: str) -> str:
    """The form of a name that is safe in a key, a stream's name, a file's name and a shell, always the same.

    A name of version 1 is its own. Any other is turned into normal form C and becomes `_`, then the name with every
    run of characters other than `A-Z a-z 0-9 . _` as one `-`, cut to 40 characters, then `-` and the first 16
    hexadecimal digits of the SHA-256 of its UTF-8. No name of version 1 begins with `_`, so no two names share one.
    """
    if is_narrow(name):
        return name
    name = unicodedata.normalize("NFC", name)
    readable = re.sub(r"[^A-Za-z0-9._]+", "-", name)[:_READABLE]
    return f"_{readable}-{hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]}"


def _may_be_in_a_name(character: str) -> bool:
    if character == " " or character in PUNCTUATION:
        return True
    return unicodedata.category(character) in _LETTERS | _MARKS and not _INVISIBLE.match(character)


def _shown(character: str) -> str:
    """A character for a message: itself where it shows, and always its number and its name."""
    named = f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
    if character == " ":
        return "a blank"
    invisible = unicodedata.category(character) in _MARKS or _INVISIBLE.match(character)
    return f"{character} ({named})" if character.isprintable() and not invisible else named


# What a JSON Schema's regular expression can say in every language: ASCII exactly, of the rest no control characters.
_BEGINS: Final = r"[^\x00-/:-@\[-`{-\x9f]"
_GOES_ON: Final = r"[^\x00-\x1f!\x22$%'*/:-@\[-^`{-\x9f]"

_SCHEMA: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_NAME_LENGTH,
    # In some languages `$` is before a line's end too.
    "pattern": f"^(?!.*(  | $)){_BEGINS}{_GOES_ON}*$(?!\\n)",
    "$comment": f"It begins with a letter or a digit. {ALLOWED[0].upper()}{ALLOWED[1:]}; no other character.",
}

Name = Annotated[str, AfterValidator(check_name), WithJsonSchema(_SCHEMA)]
"""A station's, machine's, head's or operation's name, in normal form C whatever form it came in."""

IMPORTED: Final = "imported"
"""The machine of photographs that came from a labelled folder, not from the line: no machine has this name."""


def check_machine(name: str) -> str:
    """Return `name` in normal form C, if a machine may have it.

    Raises:
        ValueError: it is no name (`check_name`), or that of imported photographs, which no question of the line shows.
    """
    name = check_name(name)
    if name == IMPORTED:
        raise ValueError(f"{IMPORTED} is the name of photographs that were imported: no machine can have it")
    return name


MachineName = Annotated[str, AfterValidator(check_machine), WithJsonSchema({**_SCHEMA, "not": {"const": IMPORTED}})]
"""A machine's name."""


def designation_form(designation: str) -> str:
    """The form in which two designations are the same: people write one with blanks and hyphens, or without."""
    return designation.upper().replace(" ", "").replace("-", "")
