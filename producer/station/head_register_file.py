"""The form of the head register's file, TOML, and what is wrong with one, in words.

A further fact of a head or a pocket is a further field of `HeadEntry`: the files that are there stay readable.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from producer.configuration.toml_file import read_toml
from producer.contract.event import Designation
from producer.contract.names import Name
from producer.contract.region import FORMS, AnyRegion
from producer.contract.vocabulary import Layout
from producer.pictures.file_names import MAX_POCKET

EXAMPLE: Final = """\
# The milling heads of this plant. Stations find this file by INSERTS_HEADS.

[heads.H12]
pockets = 30                          # how many inserts it carries: a complete check has all of them
designation = "SEKT 1204 AFTN"        # ISO 1832; may be left out
# Where in the upright photograph the insert is, in pixels. Left out: the whole photograph is judged.
region = { left = 120, top = 40, width = 640, height = 640 }

[heads.H12.regions]                   # pockets that the camera sees elsewhere
7 = { left = 160, top = 40, width = 640, height = 640 }
# Only what is inside these corners:
8 = { polygon = [[160, 40], [800, 60], [780, 680], [150, 660]] }
# A strip along a cutting edge, from one point to another, with pixels to either side; it is turned level and judged:
9 = { x1 = 140, y1 = 600, x2 = 760, y2 = 560, above = 60, below = 30 }
# The same with a scale: the width of the wear land is then given in millimetres:
10 = { x1 = 140, y1 = 600, x2 = 760, y2 = 560, above = 60, below = 30, pixels_per_mm = 85.0 }

[heads."Fräskopf 3"]                  # a name with a blank, a dot or an umlaut needs quotation marks
pockets = 12
layout = "row"                        # how the console draws it; left out: a circle, the first pocket at the top
"""

_POCKET: Final = re.compile(r"[1-9][0-9]{0,2}")


def _pocket(key: str) -> int:
    if not _POCKET.fullmatch(key):
        raise ValueError(f"a pocket is a number from 1 to {MAX_POCKET}, written like 7")
    return int(key)


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class HeadEntry(_Closed):
    """What the file says of one head: `region` is that of every pocket which `regions` does not name."""

    pockets: int = Field(ge=1, le=MAX_POCKET)
    designation: Designation | None = None
    layout: Layout = "circle"
    region: AnyRegion | None = None
    regions: dict[Annotated[int, BeforeValidator(_pocket)], AnyRegion] = Field(default_factory=dict)


class _Document(_Closed):
    heads: dict[Name, HeadEntry] = Field(default_factory=dict)


def read_heads(path: Path) -> dict[str, HeadEntry]:
    """The heads of a file, by name.

    Raises:
        ValueError: it cannot be read, is no TOML, or says what no register does.
    """
    document = read_toml(
        path,
        what="head register",
        example="`insert-station heads show --example` prints one",
        hint="A head begins with [heads.NAME], once; names with blanks or umlauts and all "
        "texts stand in quotation marks",
    )
    try:
        heads = _Document.model_validate(document).heads
    except ValidationError as error:
        raise ValueError("\n".join(f"{path}: {_in_words(problem)}" for problem in error.errors())) from None
    if len(heads) < len(document.get("heads", {})):
        raise ValueError(f"{path}: a head is there twice, its accents written in two ways: keep one")
    return heads


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, if there is one."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def _in_words(error: ErrorDetails) -> str:
    """One of pydantic's errors, for the person who wrote the file."""
    *table, key = map(str, error["loc"])
    place = _place(table)
    if error["type"] == "extra_forbidden":
        known = _known(table)
        meant = nearest(key, known)
        return f"{place}unknown key {key}: " + (f"is {meant} meant?" if meant else f"there are {', '.join(known)}")
    if error["type"] == "missing":
        return f"{place}{key} is missing: add {key} = NUMBER"
    if error["type"] in ("model_type", "dict_type"):
        return f"{place}{key} is no table: it needs {', '.join(_known([*table, key])) or 'NAME = …'} in it"
    problem = error["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
    return f"{place}{'' if key == '[key]' else f'{key}: '}{problem}, not {_short(repr(error['input']))}"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def _place(table: list[str]) -> str:
    """Which head and which table in it, for the beginning of a sentence."""
    if len(table) < 2:
        return ""
    return f"head {table[1]}: " + (f"{'.'.join(table[2:])}: " if table[2:] else "")


def _known(table: list[str]) -> Mapping[str, Any]:
    """The keys that a table of the file may have; none where they are names or numbers."""
    match table:
        case []:
            return _Document.model_fields
        case [_, _]:
            return HeadEntry.model_fields
        case [_, _, "region"] | [_, _, "regions", _]:
            return {name: field for form in FORMS for name, field in form.model_fields.items()}
    return {}
