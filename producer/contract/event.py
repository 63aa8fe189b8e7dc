"""The contract between station and worker: one frozen, versioned event per photographed insert."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import uuid6
from pydantic import (
    UUID7,
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from producer.contract.names import NARROW, MachineName, Name, is_narrow
from producer.contract.region import LARGEST, AnyRegion, Edge, Polygon
from producer.contract.region import Region as Region  # for those who hand in boxes
from producer.contract.vocabulary import NAMED_PLACES

SCHEMA_VERSION: Final = 2
"""What stations send; version 1, which has narrower names (`producer.contract.names.NARROW`), is still read."""

OUTLINED: Final = 3
"""What they send of a photograph whose region is no box, so that a worker from before such regions says so."""

INSPECT_TASK: Final = "insert_inspection.inspect"
"""The Celery task that a capture event is sent to."""

INSPECT_QUEUE: Final = "inspect"
"""The queue, a Redis list, that capture events wait in."""

MOST_EVENTS: Final = 100
"""The most events that one message carries."""

SCALED: Final = 4
"""What they send of an edge whose scale is declared, likewise."""

COUNTED: Final = 5
"""What they send where nobody said how many pockets a head has, likewise."""

MAX_KEY_LENGTH: Final = 512

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9000

_KEY_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def check_key(key: str) -> str:
    """Return `key` if it names an image safely, on every file system and in every object store.

    A key is relative, its segments are separated by `/` and consist of letters, digits, `.`, `_` and `-`; no
    segment starts with a dot (so there is no `..`) or is empty.

    Raises:
        ValueError: the key is absolute, leaves its root, or has characters that some store gives a meaning.
    """
    if len(key) > MAX_KEY_LENGTH:
        raise ValueError(f"an image key has at most {MAX_KEY_LENGTH} characters")
    for segment in key.split("/"):
        if not _KEY_SEGMENT.fullmatch(segment):
            raise ValueError(
                f"image key {key!r} must be relative, without '..', its parts made of letters, digits, '.', '_', '-'"
            )
    return key


def _to_utc(moment: datetime) -> datetime:
    # A moment at the end of the calendar cannot be converted to every zone, and no photograph was taken there.
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"the year must be one from {FIRST_YEAR} to {LAST_YEAR}")
    return moment.astimezone(UTC)


def _of_form(pattern: str, words: str) -> Callable[[str], str]:
    """A check of a text's form that refuses in words, where a pattern would not help a person."""
    form = re.compile(pattern)

    def check(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(words)
        return text

    return check


ImageKey = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_LENGTH), AfterValidator(check_key)]

_SHA256: Final = r"^[0-9a-f]{64}$"
Sha256 = Annotated[
    str,
    AfterValidator(_of_form(_SHA256, "a SHA-256 is 64 hexadecimal digits, with the letters in lower case")),
    WithJsonSchema({"type": "string", "pattern": _SHA256}),
]

UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]

# ISO 1832: four letters (shape, clearance angle, tolerance class, type), edge length, thickness (also T3 and the
# like), corner, then the optional cutting-edge, direction and maker's parts.
_DESIGNATION: Final = r"^[A-Z]{4} ?[0-9X]{2} ?[0-9TX][0-9X]( ?[0-9A-Z]{2})?([ -]?[0-9A-Z][0-9A-Z-]{0,11})?$"
Designation = Annotated[
    str,
    AfterValidator(_of_form(_DESIGNATION, "an ISO 1832 designation is like SNMG120408 or SEKN 1203 AFTN")),
    WithJsonSchema({"type": "string", "pattern": _DESIGNATION}),
]


def _less_in_older_versions(schema: dict[str, Any]) -> None:
    schema["if"] = _of_versions(2, OUTLINED, SCALED, COUNTED)
    schema["else"] = {"properties": {name: {"pattern": f"^{NARROW}$"} for name in NAMED_PLACES}}
    box = {"not": {"type": "object", "anyOf": [{"required": ["polygon"]}, {"required": ["x1"]}]}}
    without_scale = {"not": {"type": "object", "required": ["pixels_per_mm"]}}
    schema["allOf"] = [
        {"if": _of_versions(OUTLINED, SCALED, COUNTED), "else": {"properties": {"region": box}}},
        {"if": _of_versions(SCALED, COUNTED), "else": {"properties": {"region": without_scale}}},
        {"if": _of_versions(COUNTED), "else": {"properties": {"check_size_counted": {"const": False}}}},
    ]


def _of_versions(*versions: int) -> dict[str, Any]:
    return {"properties": {"schema_version": {"enum": list(versions)}}, "required": ["schema_version"]}


class CaptureEvent(BaseModel):
    """One photograph of one insert, taken after one operation.

    The image travels by reference: `image` is its key in the image store and `image_sha256` the digest of its
    bytes. `capture_id` is made at the station and is the idempotency key everywhere.
    """

    # Strict, so that "7" is no pocket; the JSON form (ISO 8601 times, ids as text) is the one that travels.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, json_schema_extra=_less_in_older_versions)

    schema_version: Literal[1, 2, 3, 4, 5] = Field(
        default=1,
        description="2, 3 where the region is no box, 4 where it is an edge with a scale, or 5 where check_size is "
        "counted; with 1, or without it, names have only A to Z, a to z, 0 to 9, '.', '_' and '-'.",
    )
    capture_id: UUID7 = Field(description="UUIDv7, made at the station: the idempotency key everywhere.")
    captured_at: UtcDatetime = Field(
        description="When the photograph was taken, from 1970 to 9000, with its offset from UTC."
    )
    station: Name = Field(description="The inspection station; its verdicts come back on verdicts:<its safe form>.")
    machine: MachineName = Field(description="The milling machine.")
    head: Name = Field(description="The milling head.")
    pocket: int = Field(ge=1, le=999, description="The pocket in the head that the insert sits in, from 1.")
    operation: Name = Field(description="The machining operation that the photograph follows.")
    check_id: UUID7 = Field(
        description="The post-operation check that the image belongs to; each run of an operation needs one of its own."
    )
    check_size: int = Field(ge=1, le=999, description="How many inserts that check must cover.")
    check_size_counted: bool = Field(
        default=False,
        exclude_if=lambda counted: not counted,  # version 4 does not know it
        description="Nobody said check_size: it is what the photographs themselves show, and no more of them come. If "
        "the head is known to have more pockets, the check is 'review'.",
    )
    image: ImageKey = Field(description="Key in the image store: relative, no '..'.")
    image_sha256: Sha256 = Field(description="SHA-256 of the image's bytes, in lower-case hexadecimal.")
    region: AnyRegion | None = Field(
        default=None, description="Where in the image the insert is, in pixels: a box, a polygon, or along an edge."
    )
    insert_designation: Designation | None = Field(default=None, description="The insert's ISO 1832 designation.")
    edge: int | None = Field(default=None, ge=1, le=16, description="Which of the insert's edges is in use.")
    operations_on_edge: int | None = Field(
        default=None, ge=0, le=LARGEST, description="How many operations that edge has done since it was put to work."
    )

    @field_validator(*NAMED_PLACES)
    @classmethod
    def _narrow_in_version_1(cls, name: str, info: ValidationInfo) -> str:
        if info.data.get("schema_version") == 1 and not is_narrow(name):
            raise ValueError(
                "in schema_version 1 a name has letters A to Z, digits, '.', '_' and '-' only, 64 of them at most, and "
                "begins with a letter or a digit: send schema_version 2"
            )
        return name

    @field_validator("check_size_counted")
    @classmethod
    def _counted_from_version_5(cls, counted: bool, info: ValidationInfo) -> bool:
        if counted and info.data.get("schema_version", COUNTED) < COUNTED:
            raise ValueError(f"check_size_counted is of schema_version {COUNTED}: send that")
        return counted

    @field_validator("region")
    @classmethod
    def _known_to_its_version(cls, region: AnyRegion | None, info: ValidationInfo) -> AnyRegion | None:
        least = version_for(region)
        if info.data.get("schema_version", least) < least > 2:
            what = "an edge with a scale" if least == SCALED else "a region that is no box"
            raise ValueError(f"{what} is of schema_version {least}: send that")
        return region

    def message(self) -> dict[str, Any]:
        """The event as plain JSON values: an argument of the inspect task, or an element of one."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_message(cls, message: object) -> CaptureEvent:
        """Read an event from the plain JSON values of a message.

        Raises:
            pydantic.ValidationError: a field is unknown, missing, or has a wrong type or value.
        """
        try:
            text = json.dumps(message)
        except (RecursionError, ValueError) as error:  # it nests too deep; a number of thousands of digits
            problem = PydanticCustomError("no_event", "no event: {reason}", {"reason": str(error)})
            raise ValidationError.from_exception_data(cls.__name__, [{"type": problem, "input": None}]) from None
        return cls.model_validate_json(text)


MESSAGES: TypeAdapter[CaptureEvent | list[CaptureEvent]] = TypeAdapter(
    CaptureEvent | Annotated[list[CaptureEvent], Field(min_length=1, max_length=MOST_EVENTS)]
)
"""Describes the one argument of the inspect task as a JSON Schema. Workers read each event of a list by itself, so that
one which is malformed costs no other."""


def message_of(events: Sequence[CaptureEvent]) -> dict[str, Any] | list[dict[str, Any]]:
    """The one argument of the inspect task for events of one station: an event alone as it is, several as a list."""
    first, *others = events
    return [event.message() for event in events] if others else first.message()


def version_for(region: AnyRegion | None, counted: bool = False) -> Literal[2, 3, 4, 5]:
    """The lowest `schema_version` from 2 on that can carry an event with this region, its size counted or not."""
    if counted:
        return COUNTED
    if isinstance(region, Edge) and region.pixels_per_mm is not None:
        return SCALED
    return 3 if isinstance(region, Polygon | Edge) else 2


_MOMENT_AT: Final = 80
"""From which bit on an id has its time, in milliseconds."""

_HAS_NODE: Final = 0xFFF << 64
"""Behind the version: the id has a node. Of ids that are random there, one in 4,096 seems to."""

_NODE: Final = (1 << 32) - 1


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique without a server, and in order of time."""
    new: UUID = uuid6.uuid7()
    return new


def next_id(after: UUID | None, of: int) -> UUID:
    """The id of an outbox's next capture; also a UUIDv7.

    It is later than `after`, the highest that the outbox had, by a millisecond where the clock was set back since: no
    clock spoils the order of an outbox's ids. And it says whose it is: it ends with the outbox's own 32 bits, its node
    (RFC 9562, 6.4).

    Args:
        after: None where there is none yet.
        of: the node.
    """
    new = new_id().int
    moment = new >> _MOMENT_AT
    if after is not None:
        moment = max(moment, (after.int >> _MOMENT_AT) + 1)
    rest = (new & (1 << _MOMENT_AT) - 1 | _HAS_NODE) & ~_NODE
    return UUID(int=moment << _MOMENT_AT | rest | of & _NODE)


def node(of: UUID) -> int | None:
    """Of which outbox an id is; None where that is not known, as of gateways in another language."""
    return of.int & _NODE if of.int & _HAS_NODE == _HAS_NODE else None


def are_of_one_outbox(one: UUID, other: UUID) -> bool:
    """Whether the order of two ids of one station says something: a second computer may have its name.

    It does for two that do not say of which outbox they are, and for none of these beside one that does: that may be of
    a second computer which is older, or newer.
    """
    return node(one) == node(other)
