"""The words of the database that no message says; those that one says are in `producer.contract.vocabulary`."""

from __future__ import annotations

from typing import Final, Literal, get_args

FaultState = Literal["open", "requeued", "closed", "dismissed"]
"""What a person has made of a fault; `closed` once its event was tried again."""

FAULT_STATES: Final[tuple[FaultState, ...]] = get_args(FaultState)
"""All states of a fault."""

UNSETTLED_FAULTS: Final[tuple[FaultState, ...]] = ("open", "requeued")
"""Those that a verdict would still close."""

SETTLED_FAULTS: Final[tuple[FaultState, ...]] = tuple(state for state in FAULT_STATES if state not in UNSETTLED_FAULTS)
"""All others: nothing more becomes of them."""

STANDING_FAULTS: Final[tuple[FaultState, ...]] = ("open", "dismissed")
"""Those of captures that nothing will judge: a person who takes a fault off the list has not seen the insert."""

Provenance = Literal["single", "bulk"]
"""How a review came: of one photograph that was looked at, or of a sheet of them at once."""

PROVENANCES: Final[tuple[Provenance, ...]] = get_args(Provenance)
"""All provenances of a review."""

SplitKind = Literal["plain", "grouped"]
"""How an evaluation divides the labelled set: at random, or with all photographs of an insert on one side."""

SPLIT_KINDS: Final[tuple[SplitKind, ...]] = get_args(SplitKind)
"""All kinds of splits."""

PersonRole = Literal["viewer", "reviewer", "maintainer", "administrator"]
"""What an account may do; each role may do what those before it may."""

PERSON_ROLES: Final[tuple[PersonRole, ...]] = get_args(PersonRole)
"""All roles of accounts, by rising rights."""

AuditAction = Literal[
    "signed in",
    "signed out",
    "reviewed",
    "reviewed in bulk",
    "labels imported",
    "exported",
    "insert changed",
    "insert change withdrawn",
    "fault seen",
    "fault requeued",
    "fault dismissed",
    "drift accepted",
    "model promoted",
    "model rolled back",
    "shadow started",
    "shadow ended",
    "account added",
    "account disabled",
    "password changed",
    "role changed",
    "token added",
    "token revoked",
    "backup restored",
    "checks of before doubted",
]
"""What the audit says was done."""

AUDIT_ACTIONS: Final[tuple[AuditAction, ...]] = get_args(AuditAction)
"""All actions of the audit."""
