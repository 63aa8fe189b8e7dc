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
from producer.contract.plant_news import FaultRun, Hold, InsertChangeAnswer, ModelChange, Restored

COMPLETED: Final = 1
"""ResultState of OPC 40100-1, 12.19: there is a result."""

FAILED: Final = 4
"""ResultState: there is none, and `content` says why."""


class ResultEvaluation(IntEnum):
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
    "intact": ResultEvaluation.OK,
    "damaged": ResultEvaluation.NOT_OK,
    "unsure": ResultEvaluation.NOT_DECIDABLE,
    "unusable": ResultEvaluation.UNDEFINED,
}
_OF_STATE: Final = {
    "go": ResultEvaluation.OK,
    "replace": ResultEvaluation.NOT_OK,
    "review": ResultEvaluation.NOT_DECIDABLE,
}


@dataclass(frozen=True)
class Result:
    """A result; texts are empty where the answer does not say.

    Attributes:
        id: the event's id, the same when it comes again.
        evaluation: what it says.
        answer: the same in the line's own word: `intact`, `go`, …; `fault`; `promoted`, `began`, `changed`,
            `withdrawn`, `refused`, `hold`.
        partial: whether it is of one pocket; a hold is, so it ends no wait for its check.
        state: ResultState.
        part: MACHINE/HEAD.
        pocket: which; 0 of a head.
        measurement: the capture.
        job: the check.
        recipe: what is said of it: `verdict`, `check`, `fault`, `model_change`, `fault_run`, `insert_change`,
            `hold` or `restored`.
        operation: what the head did before, of a check.
        configuration: the model that judged, or that has another role now.
        created: when the line said it.
        simulated: whether it is of a simulated machine.
        message: a sentence for people.
        content: the whole event, JSON.
    """

    id: str
    evaluation: ResultEvaluation
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


def evaluation_of(event: PlantEvent) -> ResultEvaluation:
    """What an event says."""
    match event.data:
        case VerdictAnswer(outcome=outcome):
            return _OF_OUTCOME[outcome]
        case CheckAnswer(state=state):
            return _OF_STATE[state]
    return ResultEvaluation.UNDEFINED


def result_of(event: PlantEvent, simulated_machines: frozenset[str]) -> Result:
    """The result that an event is."""
    answer, message = _in_words(event)
    data = event.data.model_dump(mode="json", exclude_none=True)
    return Result(
        id=event.id,
        evaluation=evaluation_of(event),
        answer=answer,
        partial=event.kind in ("verdict", "fault", "hold"),
        state=FAILED if event.kind == "fault" or "refused" in data else COMPLETED,
        part=_part(event),
        pocket=data.get("pocket", 0),
        measurement=data.get("capture_id", ""),
        job=data.get("check_id", ""),
        recipe=event.kind,
        operation=data.get("operation", ""),
        configuration=data.get("model", ""),
        created=event.time,
        simulated=event.machine in simulated_machines,
        message=message,
        content=event.as_json(),
    )


def _part(event: PlantEvent) -> str:
    if isinstance(event.data, FaultAnswer | ModelChange | FaultRun | Restored):
        return ""
    return f"{event.data.machine}/{event.data.head}"


def _in_words(event: PlantEvent) -> tuple[str, str]:
    """The line's own word for what an event says, and a sentence for people."""
    part = _part(event)
    match event.data:
        case VerdictAnswer(pocket=pocket, outcome=outcome):
            return outcome, f"{part}, pocket {pocket}: {outcome}"
        case CheckAnswer(state=state, replace=replace, review=review):
            pockets = replace if state == "replace" else review
            return state, f"{part}: {state}" + (f" {', '.join(map(str, pockets))}" if pockets else "")
        case FaultAnswer(reason=reason):
            return "fault", f"not judged: {reason}"
        case ModelChange(role=role, action=action, model=model):
            return action, f"{role}: {model or 'none'}"
        case FaultRun(station=station, ended=True):
            return "ended", f"photographs of {station} can be judged again"
        case FaultRun(station=station):
            return "began", f"photographs of {station} cannot be judged, one after another"
        case InsertChangeAnswer(pocket=pocket, withdrawn=True):
            return "withdrawn", f"{part}, pocket {pocket}: the insert was not changed after all"
        case InsertChangeAnswer(pocket=pocket, refused=None):
            return "changed", f"{part}, pocket {pocket}: the insert was changed"
        case InsertChangeAnswer(pocket=pocket, refused=refused):
            return "refused", f"{part}, pocket {pocket}: no insert was changed: {refused}"
        case Hold(pocket=pocket):
            return "hold", f"{part}, pocket {pocket}: no go, by a check that has no answer for this head"
        case Restored(made_at=made_at):
            backup = f"a backup of {made_at.isoformat(timespec='seconds')}"
            return "restored", f"{backup} was restored: what was said before says nothing of what is in the heads now"
    raise AssertionError(event)
