"""A plant event in the words of OPC UA: a result of OPC 40100-1, evaluated as OPC 40001-101 does.

What was found in one pocket is a partial result; what a check says of its head is the final one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.plant_event import PlantEvent

COMPLETED: Final = 1
"""ResultState of OPC 40100-1, 12.19: there is a result."""

FAILED: Final = 4
"""ResultState: there is none, and `content` says why."""


class Evaluation(IntEnum):
    """ResultEvaluationEnum of OPC 40001-101, 10.3."""

    UNDEFINED = 0
    OK = 1
    NOT_OK = 2
    NOT_DECIDABLE = 3

    @property
    def word(self) -> str:
        """Its name there."""
        return ("Undefined", "OK", "NotOK", "NotDecidable")[self]


_OF_OUTCOME: Final = {
    "intact": Evaluation.OK,
    "damaged": Evaluation.NOT_OK,
    "unsure": Evaluation.NOT_DECIDABLE,
    "unusable": Evaluation.UNDEFINED,
}
_OF_STATE: Final = {"go": Evaluation.OK, "replace": Evaluation.NOT_OK, "review": Evaluation.NOT_DECIDABLE}


@dataclass(frozen=True)
class Result:
    """A result; texts are empty where the answer does not say.

    Attributes:
        id: the event's id, the same when it comes again.
        evaluation: what it says.
        answer: the same in the line's own word: `intact`, `go`, …; `fault`.
        partial: whether it is of one pocket.
        state: ResultState.
        part: MACHINE/HEAD.
        pocket: which; 0 of a head.
        measurement: the capture.
        job: the check.
        recipe: what is said of it: `verdict`, `check` or `fault`.
        operation: what the head did before, of a check.
        configuration: the model that judged.
        created: when the line said it.
        simulated: whether it is of a simulated machine.
        message: a sentence for people.
        content: the whole event, JSON.
    """

    id: str
    evaluation: Evaluation
    answer: str
    partial: bool
    state: int
    part: str
    pocket: int
    measurement: str
    job: str
    recipe: str
    operation: str
    configuration: str
    created: datetime
    simulated: bool
    message: str
    content: str


def evaluation_of(event: PlantEvent) -> Evaluation:
    """What an event says."""
    match event.data:
        case VerdictAnswer(outcome=outcome):
            return _OF_OUTCOME[outcome]
        case CheckAnswer(state=state):
            return _OF_STATE[state]
    return Evaluation.UNDEFINED


def result_of(event: PlantEvent, simulated_machines: frozenset[str]) -> Result:
    """The result that an event is."""
    data = event.data
    fault, check = isinstance(data, FaultAnswer), isinstance(data, CheckAnswer)
    part = "" if isinstance(data, FaultAnswer) else f"{data.machine}/{data.head}"
    return Result(
        id=event.id,
        evaluation=evaluation_of(event),
        answer=_answer(event),
        partial=not check,
        state=FAILED if fault else COMPLETED,
        part=part,
        pocket=0 if isinstance(data, CheckAnswer) else data.pocket or 0,
        measurement="" if isinstance(data, CheckAnswer) or data.capture_id is None else str(data.capture_id),
        job="" if data.check_id is None else str(data.check_id),
        recipe=event.kind,
        operation=data.operation if isinstance(data, CheckAnswer) else "",
        configuration=data.model or "" if isinstance(data, VerdictAnswer) else "",
        created=event.time,
        simulated=event.machine in simulated_machines,
        message=_message(event, part),
        content=event.as_json(),
    )


def _answer(event: PlantEvent) -> str:
    match event.data:
        case VerdictAnswer(outcome=outcome):
            return outcome
        case CheckAnswer(state=state):
            return state
    return "fault"


def _message(event: PlantEvent, part: str) -> str:
    match event.data:
        case VerdictAnswer(pocket=pocket, outcome=outcome):
            return f"{part}, pocket {pocket}: {outcome}"
        case CheckAnswer(state=state, replace=replace, review=review):
            pockets = replace if state == "replace" else review
            return f"{part}: {state}" + (f" {', '.join(map(str, pockets))}" if pockets else "")
        case FaultAnswer(reason=reason):
            return f"not judged: {reason}"
    raise AssertionError(event)
