"""What the files of a watched folder become: captures, in the check of their operation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from producer.contract.event import CaptureEvent
from producer.contract.reasons import stations as why
from producer.contract.reasons.template import IN_OTHER_WORDS, Reason
from producer.pictures.file_names import MAX_POCKET, pocket_of
from producer.pictures.stand_in import stand_in
from producer.station.declared_heads import DeclaredHeads, DeclaredPocket
from producer.station.place import Place, operation_of, place_of
from producer.station.settled_files import Look
from producer.station.station import Station
from producer.station.submitted_files import HandedIn
from producer.station.time_since_boot import Moment
from producer.station.unfinished_copies import Copy
from producer.terminal.error_text import in_words


@dataclass(frozen=True)
class ListedFile:
    """A file, its path below the watched folder, and how it looked when it was listed."""

    path: Path
    relative: Path
    look: Look

    @property
    def name(self) -> str:
        """Its path below the watched folder, in words."""
        return self.relative.as_posix()

    @property
    def operation(self) -> Path:
        """The folder of the operation that it lies in, however deep, below the watched folder."""
        return operation_of(self.relative)


class FileCaptures:
    """Hands files in as captures of a station.

    Args:
        station: whose captures they become.
        handed_in: what is remembered of the folder.
        heads: what is declared of the heads.
        check_timeout: seconds without a photograph after which an operation's check is over.
    """

    def __init__(self, station: Station, handed_in: HandedIn, heads: DeclaredHeads, check_timeout: float):
        self._station = station
        self._handed_in = handed_in
        self._heads = heads
        self._check_timeout = check_timeout
        self._stood_in: set[tuple[UUID, Copy]] = set()

    def check_of(self, file: ListedFile, pocket: DeclaredPocket, moment: Moment) -> UUID:
        """The check of a file's operation, at `moment`: the open one, or a new one."""
        return self._handed_in.check_of(file.operation, moment, self._check_timeout, pocket.check_size)

    def are_again(self, files: Iterable[ListedFile]) -> set[ListedFile]:
        """Those of some files whose pocket was shown in its check before: what that showed counts no more.

        Raises:
            sqlite3.Error: what was handed in cannot be looked up.
        """
        now, again = Moment.now(), set()
        of_operation: dict[Path, list[ListedFile]] = defaultdict(list)
        for file in files:
            of_operation[file.operation].append(file)
        for operation, group in of_operation.items():
            with suppress(UnicodeEncodeError):  # a name of another encoding: nothing of it is ever handed in
                shown = self._handed_in.pockets_shown(operation, now, self._check_timeout)
                again |= {file for file in group if pocket_of(file.path.name) in shown}
        return again

    def together(self, again: Collection[ListedFile]) -> AbstractContextManager[None]:
        """Hand in what comes within the block at its end, as one message of each check, if a check is shown `again`."""
        return self._station.together() if again else nullcontext()

    def submit(self, file: ListedFile, image: bytes, place: Place, pocket: DeclaredPocket, check: UUID) -> CaptureEvent:
        """Hand in an image as a file's.

        Raises:
            ValidationError: its names are none that an event can have.
        """
        capture = self._station.new_capture_id()
        # The note and the event are one step, so a file whose move was cut short by a crash is not handed in twice.
        note = self._handed_in.file_note(file.relative, file.look, capture, image)
        return self._submit(image, place, pocket, check, capture, note)

    def are_of_no_pocket(self, files: Iterable[ListedFile]) -> set[ListedFile]:
        """Those of some files that no pocket is declared of: each may be the newest photograph of any."""
        none = set()
        for file in files:
            try:
                self.declared(file)
            except ValueError:
                none.add(file)
        return none

    def declared(self, file: ListedFile) -> tuple[Place, DeclaredPocket]:
        """What a file's path says, and what is declared for that pocket.

        Raises:
            ValueError: it is of no pocket, or of an undeclared one.
        """
        place = place_of(file.relative)
        return place, self._heads.pocket(place)

    def stand_in(self, file: ListedFile, reason: Reason) -> None:
        """Hand in a stand-in for a photograph that is not taken: of its pocket, else of one more than the head has."""
        with suppress(ValueError):  # of no operation, or of a name or a head that no photograph is taken of
            try:
                place, pocket = self.declared(file)
            except ValueError:
                place, pocket = self._one_more(file.operation)
            check = self.check_of(file, pocket, Moment.now())
            image = stand_in(why.IN_FILE(file=file.path.name, problem=reason))
            if _is_text(file.name):
                self.submit(file, image, place, pocket, check)
            else:
                self._submit(image, place, pocket, check)

    def stand_in_for(self, copies: list[Copy], operation: Path, check: UUID | None = None) -> None:
        """Hand in a stand-in for each abandoned copy, once in each `check` of its operation.

        Without a `check`, in the open one; if none is open, nothing waits for it.
        """
        for copy in copies:
            with suppress(ValueError):  # as above
                if copy.pocket is None:
                    place, pocket = self._one_more(operation)
                    reason = why.OF_ANY_POCKET(names=copy.name)
                else:
                    place = place_of(operation / f"{copy.pocket}.jpg")
                    pocket = self._heads.pocket(place)
                    reason = why.UNFINISHED(pocket=copy.pocket, names=copy.name)
                of_check = check or self._handed_in.open_check(
                    operation, Moment.now(), self._check_timeout, pocket.check_size
                )
                if of_check is not None and (of_check, copy) not in self._stood_in:
                    self._submit(stand_in(reason), place, pocket, of_check)
                    self._stood_in.add((of_check, copy))

    def _one_more(self, operation: Path) -> tuple[Place, DeclaredPocket]:
        """One pocket more than the head of an operation has, for photographs of an unknown pocket.

        Raises:
            ValueError: it is no operation's folder, or the head's number of pockets is not declared.
        """
        first = place_of(operation / "1.jpg")
        size = self._heads.pocket(first).check_size
        return replace(first, pocket=min(size + 1, MAX_POCKET)), DeclaredPocket(size)

    def _submit(
        self,
        image: bytes,
        place: Place,
        pocket: DeclaredPocket,
        check: UUID,
        capture: UUID | None = None,
        note: tuple[str, str] | None = None,
    ) -> CaptureEvent:
        return self._station.submit(
            image,
            machine=place.machine,
            head=place.head,
            pocket=place.pocket,
            operation=place.operation,
            check_id=check,
            check_size=max(pocket.check_size, place.pocket),
            capture_id=capture,
            region=pocket.region,
            insert_designation=pocket.designation,
            note=note,
        )


def why_refused(error: ValueError) -> Reason:
    """Why a file is refused, by what was raised: a reason, or what else says so in words."""
    [first, *_] = error.args or [None]
    return first if isinstance(first, Reason) else IN_OTHER_WORDS(text=in_words(error))


def _is_text(name: str) -> bool:
    """Whether a name can be noted down: one of another encoding, from an old share, cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
