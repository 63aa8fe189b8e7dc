"""What `insert-station check` prints: the check's result and its problems, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from producer.contract.answers import FaultAnswer, VerdictAnswer
from producer.contract.event import CaptureEvent
from producer.contract.reasons.stations import IN_FILE
from producer.station.head_check import CheckResult
from producer.station.head_folder import HeadFolder, HeadProblem
from producer.station.head_register import Head, HeadRegister
from producer.station.head_register_file import nearest
from producer.terminal.counts import counted


def sentence(result: CheckResult) -> str:
    """The answer on one line."""
    if result.state == "go":
        return "GO"
    first = f"REPLACE pockets {_to_replace(result)}" if result.replace else "REVIEW"
    if result.state == "pending":
        first += f"  not finished in time: {len(result.answers)} of {len(result.submitted)} answered"
        if not result.answers:
            first += " (is the line up? it is answered once it is)"
    if result.review:
        first += f"  look at pockets {_pockets(result.review)}"
    if result.answer is not None and result.answer.missing:  # one that a stand-in is there for was named before
        first += f" ({_pockets(result.answer.missing)} never photographed)"
    if result.answer is not None and result.answer.reason is not None:
        first += f": {result.answer.reason}"
    return first


def as_values(result: CheckResult, problems: list[HeadProblem], notes: list[str]) -> dict[str, Any]:
    """The answer for a program; `missing` are the pockets of which the line has no photograph.

    `reason` is what the check's events say against each other, or None.
    `unsure` has why the model could not decide, by pocket; `damage` the kind of damage by pocket to replace, where the
    model tells worn from broken.
    """
    return {
        "check_id": str(result.check_id),
        "state": result.state,
        "replace": result.replace,
        "damage": result.damage,
        "review": result.review,
        "missing": result.missing,
        "unsure": unsure(result),
        "reason": result.answer.reason if result.answer is not None else None,
        "problems": [{"problem": p.what, "files": [*p.files], "pockets": [*p.pockets]} for p in problems],
        "notes": notes,
        "captures": len(result.submitted),
        "answered": len(result.answers),
    }


def notes_on(
    shown: HeadFolder, head: str, check_size: int | None, known: Head | None, register: HeadRegister | None
) -> list[str]:
    """What a person should know and need not act on."""
    notes = []
    if shown.elsewhere:
        notes.append(f"not looked at, though there are photographs: {', '.join(shown.elsewhere)}")
    if register is not None and known is None:
        meant = nearest(head, register.heads)
        notes.append(f"head {head} is not in {register.path}" + (f": is {meant} meant?" if meant else ""))
    if check_size is not None and known is not None and check_size != known.pockets:
        notes.append(
            f"--check-size {check_size}, and head {head} has {known.pockets} in the head register: the larger counts"
        )
    if check_size is None and known is None and not shown.problems:
        notes.append(
            f"taken to have {counted(shown.check_size, 'pocket')}, as the files' names say: only --check-size or a "
            "head register (INSERTS_HEADS) tells whether the last ones are missing"
        )
    return notes


def not_stored(result: CheckResult, shown: HeadFolder) -> list[HeadProblem]:
    """The photographs that the image store had no room for, by their files."""
    files = {photograph.pocket: [photograph.file or ""] for photograph in shown.photographs}
    return [HeadProblem(reason, files[pocket], [pocket]) for pocket, reason in result.not_stored.items()]


def unusable(result: CheckResult, shown: HeadFolder) -> list[HeadProblem]:
    """What the line could not judge of what was handed in, by its file, unless it was named before."""
    files = {photograph.pocket: photograph.file or "" for photograph in shown.photographs}
    named = {file for problem in shown.problems for file in problem.files}
    return [
        HeadProblem(IN_FILE(file=files[event.pocket], problem=reason), [files[event.pocket]], [event.pocket])
        for event, _ in result.submitted
        if files[event.pocket] not in named and (reason := _reason(result, event))
    ]


def unsure(result: CheckResult) -> dict[int, str]:
    """The pockets that the model could not decide, each with why."""
    reasons = {}
    for event, _ in result.submitted:
        match result.answer_to(event):
            case VerdictAnswer(outcome="unsure", reason=reason):
                reasons[event.pocket] = reason or "unsure"
    return reasons


def in_lines(reasons: Mapping[int, str]) -> list[str]:
    """The pockets with their reasons, those of one reason in one line."""
    pockets: dict[str, list[int]] = {}
    for pocket, reason in reasons.items():
        pockets.setdefault(reason, []).append(pocket)
    return [f"pocket{'s' if len(of) > 1 else ''} {_pockets(of)}: unsure, {reason}" for reason, of in pockets.items()]


def _reason(result: CheckResult, event: CaptureEvent) -> str | None:
    """Why a capture could not be judged, if it could not."""
    match result.answer_to(event):
        case VerdictAnswer(outcome="unusable", reason=reason):
            return reason or "unusable"
        case FaultAnswer(reason=reason):
            return reason
    return None


def _to_replace(result: CheckResult) -> str:
    """The pockets to replace, each with the kind of its damage where the model told it."""
    damage = result.damage
    return ", ".join(f"{pocket} ({damage[pocket]})" if pocket in damage else str(pocket) for pocket in result.replace)


def _pockets(pockets: list[int]) -> str:
    return ", ".join(map(str, pockets))
