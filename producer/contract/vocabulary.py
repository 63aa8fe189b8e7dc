"""The vocabulary of verdicts, reviews, checks and models: once, for stations, workers and the database."""

from __future__ import annotations

from typing import Final, Literal, get_args

DecidedOutcome = Literal["intact", "damaged"]
"""The outcomes that need no person."""

DECIDED: Final[tuple[DecidedOutcome, ...]] = get_args(DecidedOutcome)
"""Both outcomes that need no person."""

JudgedOutcome = Literal[DecidedOutcome, "unsure"]
"""What a model says of an insert that its photograph shows."""

JUDGED: Final[tuple[JudgedOutcome, ...]] = get_args(JudgedOutcome)
"""All that a model says of an insert that its photograph shows."""

Outcome = Literal[JudgedOutcome, "unusable"]
"""What a verdict can say."""

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""All outcomes."""

DamageKind = Literal["worn", "broken"]
"""What a damaged insert can be: wear and breakage compete, the first to come ends its life."""

DAMAGE_KINDS: Final[tuple[DamageKind, ...]] = get_args(DamageKind)
"""All kinds of damage."""

Label = Literal["intact", DamageKind, "damaged", "unusable"]
"""What a review can say; `damaged` is for an insert with damage of any kind."""

LABELS: Final[tuple[Label, ...]] = get_args(Label)
"""All labels."""

OUTCOME_OF: Final[dict[str, Outcome]] = {
    "intact": "intact",
    **dict.fromkeys(DAMAGE_KINDS, "damaged"),
    "damaged": "damaged",
    "unusable": "unusable",
}
"""The outcome that each label stands for."""


def outcome_now(label: str | None, outcome: str | None) -> str | None:
    """What a photograph shows: by the label of its newest review, else by its verdict's outcome, else None."""
    return outcome if label is None else OUTCOME_OF[label]


CheckState = Literal["go", "replace", "review"]
"""What a check comes to, by rising priority: all inserts are intact, some are damaged, a person must look."""

CHECK_STATE_OF: Final[dict[Outcome, CheckState]] = {
    "intact": "go",
    "damaged": "replace",
    "unsure": "review",
    "unusable": "review",
}
"""What a check of one pocket comes to by the outcome of its verdict."""

State = Literal["pending", CheckState]
"""The state of a check; `pending` until it has come to something."""

STATES: Final[tuple[State, ...]] = ("pending", *get_args(CheckState))
"""All states of a check."""

ModelRole = Literal["champion", "shadow"]
"""What a model can be there for: the champion judges, a shadow judges alongside and the line never sees it."""

MODEL_ROLES: Final[tuple[ModelRole, ...]] = get_args(ModelRole)
"""All roles of models."""

ModelAction = Literal["promoted", "rolled_back", "ended"]
"""How a model came into its role; `ended` leaves a role empty."""

MODEL_ACTIONS: Final[tuple[ModelAction, ...]] = get_args(ModelAction)
"""All actions on the models' roles."""

Layout = Literal["circle", "row"]
"""How the pockets of a head lie, for a drawing of it."""

NAMED_PLACES: Final = ("station", "machine", "head", "operation")
"""What of a capture has a name, and what it can be asked for by beside its pocket."""

SIMULATED_MACHINE: Final = "sim-mill"
"""The machine of a simulated station, if it is given no other name: by it other systems know that no insert is real."""
