"""The head register: what a plant knows of its milling heads, read from a file that people write."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from producer.contract.reasons import stations as why
from producer.contract.reasons.template import Reason
from producer.contract.region import AnyRegion
from producer.contract.vocabulary import Layout
from producer.station.file_writers import open_for_writing
from producer.station.head_register_file import nearest, read_heads


class RegisterBeingWritten(ValueError):
    """A program of this computer has the register open for writing: half of it may be one of fewer pockets."""


@dataclass(frozen=True)
class Head:
    """A milling head.

    `regions` says for a pocket where in its upright photograph the insert is (a box, a polygon, or along an edge); of a
    pocket that is not in it the whole photograph is judged. `layout` is how its pockets lie, for a drawing of it.
    """

    name: str
    pockets: int
    designation: str | None
    regions: Mapping[int, AnyRegion]
    layout: Layout = "circle"


@dataclass(frozen=True)
class HeadRegister:
    """The heads that a file describes, by name, in its order."""

    path: Path
    heads: Mapping[str, Head]

    @classmethod
    def load(cls, path: Path) -> HeadRegister:
        """Read a register.

        Raises:
            RegisterBeingWritten: a program writes it.
            ValueError: the file cannot be read or is no register; the message says where and what to do.
        """
        if _is_being_written(path):
            raise RegisterBeingWritten(
                f"{path}: a program has this head register open for writing: try again when it is done"
            )
        heads = {}
        for name, entry in read_heads(path).items():
            if beyond := [pocket for pocket in sorted(entry.regions) if pocket > entry.pockets]:
                raise ValueError(f"{path}: head {name}: a region for pocket {beyond[0]}, but it has {entry.pockets}")
            everywhere = {} if entry.region is None else dict.fromkeys(range(1, entry.pockets + 1), entry.region)
            heads[name] = Head(name, entry.pockets, entry.designation, everywhere | entry.regions, entry.layout)
        return cls(path, heads)

    def get(self, head: str) -> Head | None:
        """The head of that name, or None when the register does not have it."""
        return self.heads.get(unicodedata.normalize("NFC", head))

    def declared(self, head: str, check_size: int | None) -> Head | None:
        """The head of that name; None where nothing but `check_size` says how many pockets it has.

        Raises:
            ValueError: nobody says so, or another name is meant.
        """
        known = self.get(head)
        if known is None and (check_size is None or self.written_otherwise(head)):
            raise ValueError(self.lacks(head))
        return known

    def written_otherwise(self, head: str) -> str | None:
        """The head whose name differs from a missing one in capitals, or in the width of letters, only: it is meant."""
        if self.get(head) is not None:
            return None
        return next((name for name in self.heads if _letters(name) == _letters(head)), None)

    def lacks(self, head: str) -> Reason:
        """What to say of a head that is not in it, of which nothing else tells how many pockets it has."""
        if (other := self.written_otherwise(head)) is not None:
            return why.HEAD_IN_CAPITALS(head=head, file=self.path, other=other, again=head)
        if meant := nearest(head, self.heads):
            return why.HEAD_MISTYPED(head=head, meant=meant, file=self.path)
        return why.HEAD_UNKNOWN(head=head, file=self.path)

    def warnings(self) -> Iterator[str]:
        """What can be read and is probably not meant."""
        if not self.heads:
            yield "there is no head in it: begin one with [heads.NAME] and pockets = NUMBER"
        by_letters: dict[str, str] = {}
        for name, head in self.heads.items():
            if (twin := by_letters.setdefault(_letters(name), name)) != name:
                yield f"heads {twin} and {name} read alike: to the line they are two"
            if 0 < (described := len(head.regions)) < head.pockets:
                yield (
                    f"head {name}: regions for {described} of its {head.pockets} pockets: of the others the whole "
                    "photograph is judged"
                )


def _is_being_written(path: Path) -> bool:
    """Whether a program of this computer has a file open for writing, as far as anything tells."""
    try:
        if not path.is_file():
            return False
        with path.open("rb", buffering=0) as file:
            return bool(open_for_writing(file.fileno()))
    except OSError:
        return False


def _letters(name: str) -> str:
    """What a name is for someone who reads it: `Ｈ7`, `h7` and `H7` are one."""
    return unicodedata.normalize("NFKC", name).casefold()
