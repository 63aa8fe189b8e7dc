"""Answers: what a worker sends to a station, as JSON on the station's own Redis stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import UUID7, BaseModel, ConfigDict, Field, TypeAdapter

from producer.contract.event import UtcDatetime
from producer.contract.names import Name, is_narrow, safe_name
from producer.contract.vocabulary import CheckState, Outcome

STREAM_FIELD: Final = b"answer"
"""The field of every stream entry that has the answer, as JSON."""

REVISION_FIELD: Final = b"revision"
"""The field beside it of a check's answer on a station's own stream: stations from before it do not look at it."""

STREAM_LENGTH: Final = 10_000
"""About how many answers a station's stream keeps; older ones are trimmed."""

STREAM_SECONDS: Final = 7 * 24 * 3600
"""How long a stream is kept after its last answer, so that none stays for stations that are gone or never were. A
station that comes back later sends again what is not answered, and is told again."""


STREAM_PREFIX: Final = "verdicts:"
"""How the names of the stations' streams begin; each has more, since no station's name is empty."""


def stream_of(station: str) -> str:
    """The name of a station's stream of answers."""
    return STREAM_PREFIX + safe_name(station)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1, 2, 3, 4] = Field(default=1, description="The lowest version whose readers can read it.")

    def model_post_init(self, _: object) -> None:
        """Give an answer that is made here the oldest version that can say it: stations of any age read that."""
        if "schema_version" not in self.model_fields_set:
            self.__dict__["schema_version"] = self._lowest_version()

    def _lowest_version(self) -> Literal[1, 2, 3, 4]:
        return 1


LIVES_BEHIND: Final = (
    "How many lives with the same head and operation have ended; "
    "where it is 0, all is said by the lives of other heads or operations."
)
"""What the number of lives behind an answer means."""


class Remaining(BaseModel):
    """How many operations an insert still lasts: the median, and the interval in which 80 % of such inserts end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operations: int = Field(ge=0, description="So many are done by half of such inserts before they are damaged.")
    low: int = Field(ge=0, description="So many by 90 % of them.")
    high: int = Field(ge=0, description="So many by 10 % of them.")
    lives: int = Field(ge=0, description=LIVES_BEHIND)


class VerdictAnswer(_Answer):
    """The current verdict on one capture."""

    kind: Literal["verdict"] = "verdict"
    capture_id: UUID7
    check_id: UUID7
    machine: Name
    head: Name
    pocket: int
    outcome: Outcome
    label: str | None = Field(default=None, description="The finer label, 'worn' or 'broken', where there is one.")
    reason: str | None = Field(default=None, description="Why, for 'unsure' and 'unusable'.")
    decision: float | None = Field(default=None, description="The classifier's decision value; above 0 is damaged.")
    model: str | None = Field(default=None, description="The model that judged, absent while there is none.")
    judged_at: UtcDatetime
    remaining: Remaining | None = Field(
        default=None,
        exclude_if=lambda remaining: remaining is None,  # version 2 does not know it
        description="How long the insert still lasts, where that is known; never on a station's own stream.",
    )

    def without_remaining(self) -> VerdictAnswer:
        """The same answer as it is sent to its station, which may be older than version 3."""
        if self.remaining is None:
            return self
        return VerdictAnswer(**self.model_dump(exclude={"remaining", "schema_version"}))

    def _lowest_version(self) -> Literal[1, 2, 3, 4]:
        if self.remaining is not None:
            return 3
        return 1 if is_narrow(self.machine) and is_narrow(self.head) else 2


class FaultAnswer(_Answer):
    """A capture that cannot be judged, and why; a person has to act."""

    kind: Literal["fault"] = "fault"
    capture_id: UUID7 | None = None
    check_id: UUID7 | None = None
    pocket: int | None = None
    reason: str
    at: UtcDatetime


class CheckAnswer(_Answer):
    """A finished check: every insert of the head has its verdict or fault, or was waited for long enough."""

    kind: Literal["check"] = "check"
    check_id: UUID7
    machine: Name
    head: Name
    operation: Name
    size: int
    state: CheckState
    replace: list[int] = Field(default_factory=list, description="Pockets whose insert is damaged.")
    review: list[int] = Field(default_factory=list, description="Pockets that a person must look at.")
    missing: list[int] = Field(
        default_factory=list,
        exclude_if=lambda pockets: not pockets,  # version 1 does not know it
        description="Those of them that no photograph ever came of.",
    )
    reason: str | None = Field(
        default=None,
        exclude_if=lambda reason: reason is None,  # nor this
        description="What its events say against each other, where they do: such a check is 'review'.",
    )
    revision: int = Field(
        default=0,
        ge=0,
        exclude_if=lambda revision: revision == 0,  # version 3 does not know it
        description="Rises with the answers of a check, in the order in which the database has them: one that comes "
        "after an answer with a higher one is out of date. 0: not known, from a worker of before. "
        "A station's own stream has it beside the answer.",
    )
    begun_at: UtcDatetime | None = Field(
        default=None,
        exclude_if=lambda moment: moment is None,  # nor this
        description="The check's place among those of its head: of two the one with the later moment is the newer, "
        "whatever a station's clock says. Never on a station's own stream.",
    )

    def is_overtaken_by(self, revision: int) -> bool:
        """Whether an answer of this revision is newer; false if its worker gave no revision."""
        return 0 < self.revision < revision

    def without_order(self) -> CheckAnswer:
        """What it says, without its place among other answers: as a station of any age reads it."""
        if self.revision == 0 and self.begun_at is None:
            return self
        return CheckAnswer(**self.model_dump(exclude={"revision", "begun_at", "schema_version"}))

    def _lowest_version(self) -> Literal[1, 2, 3, 4]:
        if self.revision or self.begun_at is not None:
            return 4
        names = self.machine, self.head, self.operation
        return 2 if self.missing or self.reason or not all(map(is_narrow, names)) else 1


Answer = Annotated[VerdictAnswer | FaultAnswer | CheckAnswer, Field(discriminator="kind")]

ANSWERS: TypeAdapter[VerdictAnswer | FaultAnswer | CheckAnswer] = TypeAdapter(Answer)
"""Reads an answer from JSON and describes all three as one JSON Schema."""


def station_entry(answer: VerdictAnswer | FaultAnswer | CheckAnswer) -> dict[bytes, str]:
    """The fields of an entry of a station's own stream: the answer in what a station of any age reads."""
    if isinstance(answer, VerdictAnswer):
        answer = answer.without_remaining()
    if not isinstance(answer, CheckAnswer):
        return {STREAM_FIELD: answer.model_dump_json(exclude_none=True)}
    entry = {STREAM_FIELD: answer.without_order().model_dump_json(exclude_none=True)}
    return entry | {REVISION_FIELD: str(answer.revision)} if answer.revision else entry


def answer_in(entry: Mapping[bytes, bytes]) -> VerdictAnswer | FaultAnswer | CheckAnswer:
    """The answer of an entry of a station's own stream.

    Raises:
        pydantic.ValidationError: there is none that this version understands.
    """
    answer = ANSWERS.validate_json(entry.get(STREAM_FIELD, b""))
    if not isinstance(answer, CheckAnswer) or REVISION_FIELD not in entry:
        return answer
    return CheckAnswer.model_validate(
        {**answer.model_dump(exclude={"schema_version"}), "revision": entry[REVISION_FIELD]}
    )
