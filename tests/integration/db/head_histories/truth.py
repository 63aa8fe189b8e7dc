"""What truly happened to the inserts of some heads: the model that a random history is compared with.

It knows in which order the photographs were taken, which no program of the line does, and nothing of how the line finds
that out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from producer.contract.vocabulary import OUTCOME_OF

Progress = Literal["in the outbox", "waits", "judged", "fault"]


@dataclass(eq=False)
class Photo:
    """A photograph, in the order in which they are taken (`number`).

    `outcome` is what a worker says of it once it is judged; `fault` that none can judge it, and `refused` that not even
    its event can be used, of which what it `hides` ("pocket", "machine") cannot be read. `is_stand_in`: the camera
    failed. `is_doubted`: it may be of another head or operation, so nobody believes that it is intact. `came` is its
    place in the order of arrival, as far as it came. `said_behind` are how many were taken and how many had
    come when a person said that it shows damage, which nothing had told by then.
    """

    number: int
    capture_id: UUID
    check_id: UUID
    size: int
    head: str
    pocket: int
    station: str
    operation: str
    claimed: datetime
    sha256: str
    outcome: str = "intact"
    is_counted: bool = False
    is_stand_in: bool = False
    is_doubted: bool = False
    is_fault: bool = False
    is_refused: bool = False
    hides: str = ""
    progress: Progress = "in the outbox"
    came: int | None = None
    label: str | None = None
    said_behind: tuple[int, int] | None = None
    fault_number: int | None = None
    is_dismissed: bool = False

    @property
    def word(self) -> str:
        """What is known of its insert by now."""
        if self.label is not None:
            return OUTCOME_OF[self.label]
        return {"in the outbox": "pending", "waits": "pending", "fault": "fault"}.get(self.progress, self.outcome)

    @property
    def is_believed(self) -> bool:
        """Whether it shows its insert."""
        return self.word == "damaged" or (self.word in ("intact", "unsure") and not self.is_doubted)


_TAKEN: Final = [of.name for of in fields(Photo) if of.default is MISSING] + ["outcome", "is_stand_in", "is_doubted"]
_TAKEN += ["is_fault", "is_refused", "hides", "is_counted"]
"""What is so from the moment when a photograph is taken."""


@dataclass
class Change:
    """An insert was changed before the photograph with this number was taken."""

    head: str
    pocket: int
    number: int


@dataclass
class Truth:
    """All that happened; `changes` by what the line calls them, `given_up` with how many photographs a check had.

    Of what came before the number `restored` the line may have lost the newer photographs: a backup was restored.
    While `clocks_are_right`, the line can know which photographs were taken before a person said something.
    """

    photos: list[Photo] = field(default_factory=list)
    changes: dict[object, Change] = field(default_factory=dict)
    given_up: dict[UUID, int] = field(default_factory=dict)
    restored: int = 0
    clocks_are_right: bool = True

    def backed_up(self) -> Truth:
        """All of it as it is now."""
        return Truth([replace(photo) for photo in self.photos], {**self.changes}, {**self.given_up}, self.restored)

    def restore(self, backup: Truth, came: int) -> None:
        """The line knows what it knew then; of what `came` so far nothing says what is in the pockets now.

        Photographs of later are as those that never came.
        """
        known = {photo.number: photo for photo in backup.photos}
        for photo in self.photos:
            then = known.get(photo.number, Photo(**{of: getattr(photo, of) for of in _TAKEN}))
            for name in {of.name for of in fields(Photo)} - {*_TAKEN}:
                setattr(photo, name, getattr(then, name))
        self.changes, self.given_up, self.restored = {**backup.changes}, {**backup.given_up}, came

    def arrived(self, head: str | None = None, pocket: int | None = None) -> list[Photo]:
        """The photographs that a worker has seen, in the order in which they were taken."""
        photos = (photo for photo in self.photos if photo.came is not None and head in (None, photo.head))
        return [photo for photo in photos if pocket in (None, photo.pocket)]

    def usable(self, head: str, pocket: int | None = None) -> list[Photo]:
        """Those of them that the line has as captures."""
        return [photo for photo in self.arrived(head, pocket) if not photo.is_refused]

    def of_check(self, check_id: UUID) -> list[Photo]:
        """The photographs of a check that a worker has seen."""
        return [photo for photo in self.photos if photo.check_id == check_id and photo.came is not None]

    def since_change(self, head: str, pocket: int) -> list[Photo]:
        """The photographs that show the insert which is in a pocket now."""
        numbers = [of.number for of in self.changes.values() if (of.head, of.pocket) == (head, pocket)]
        changed = max(numbers, default=0)
        return [photo for photo in self.arrived(head, pocket) if photo.number >= changed]

    def words(self, head: str) -> dict[int, str]:
        """What the newest photograph of each pocket says of the insert that is in it."""
        return {pocket: self._word(self.since_change(head, pocket)) for pocket in self._pockets(head)}

    def judged_words(self, head: str) -> dict[int, str]:
        """As `words`, by the newest photograph that was judged: a state that was told is not of the one that waits."""
        words = {}
        for pocket in self._pockets(head):
            photos = self.since_change(head, pocket)
            judged = [photo for photo in photos if photo.word != "pending"]
            words[pocket] = "pending" if photos and not judged else self._word(judged)
        return words

    def known_damage(self, head: str) -> set[int]:
        """The pockets whose newest photograph that shows the insert shows damage."""
        newest = {photo.pocket: photo for photo in self._believed(head)}
        return {pocket for pocket, photo in newest.items() if photo.word == "damaged"}

    def late_damage(self, head: str) -> set[int]:
        """The pockets of which a person said damage that nothing had told, with no photograph of since of the insert.

        One that came later is of before if it was taken before.
        """
        return {pocket for pocket in self._pockets(head) if self._is_late(self.since_change(head, pocket))}

    def _is_late(self, photos: list[Photo]) -> bool:
        last = next((photo for photo in reversed(photos) if photo.word == "damaged"), None)
        if last is None or last.said_behind is None:
            return False
        taken, came = last.said_behind
        taken = taken if self.clocks_are_right else 0
        since = [photo for photo in photos if photo.number >= taken and (photo.came or 0) >= came]
        return not any(photo.is_believed for photo in since if photo.number > last.number)

    def label(self, photo: Photo, word: str, came: int) -> None:
        """A person says what a photograph shows, while so many have come."""
        if OUTCOME_OF[word] != "damaged":
            photo.said_behind = None
        elif photo.word != "damaged":
            photo.said_behind = len(self.photos), came
        photo.label = word

    def misses(self, check_id: UUID) -> Collection[int]:
        """The pockets of which a check has no photograph, and for which it does not wait."""
        photos = self.of_check(check_id)
        have = {photo.pocket for photo in photos if photo.head == photos[0].head}
        if photos[0].is_counted:
            of_one_head = [photo for photo in photos if photo.head == photos[0].head]
            is_whole = len(of_one_head) == len([photo for photo in self.photos if photo.check_id == check_id])
            before = min(photo.came or 0 for photo in photos)
            seen = {of.pocket for of in self.arrived(photos[0].head) if (of.came or 0) < before}
            return seen - have if is_whole else ()
        if self.given_up.get(check_id) != len([photo for photo in photos if not photo.is_refused]):
            return ()
        return set(range(1, max(photo.size for photo in photos) + 1)) - have

    def _word(self, photos: list[Photo]) -> str:
        if not photos:
            return "new"
        newest = photos[-1]
        if newest.is_doubted and newest.word == "intact":
            return "doubted"
        if newest.word == "intact" and (newest.came or 0) < self.restored:
            return "of before a restore"
        is_known = newest.word not in ("intact", "pending")
        return newest.word if is_known or not self._was_missed(newest) else "missing"

    def _was_missed(self, newest: Photo) -> bool:
        """Whether a check that began after the newest photograph of a pocket has none of it."""
        of_head = self.arrived(newest.head)
        begun = {photo.check_id: photo.number for photo in reversed(of_head)}
        later = [check_id for check_id, number in begun.items() if number > newest.number]
        return any(
            self.of_check(check_id)[0].head == newest.head
            and newest.pocket in self.misses(check_id)
            and all(of.word != "pending" for of in self.of_check(check_id))
            for check_id in later
        )

    def _believed(self, head: str) -> Iterator[Photo]:
        for pocket in self._pockets(head):
            yield from (photo for photo in self.since_change(head, pocket) if photo.is_believed)

    def _pockets(self, head: str) -> list[int]:
        return sorted({photo.pocket for photo in self.arrived(head)})
