"""The vocabulary of verdicts, reviews and checks: once, for stations, workers and the database."""

from __future__ import annotations

from typing import Final, Literal, get_args

Outcome = Literal["intact", "damaged", "unsure", "unusable"]
"""What a verdict can say."""

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""All outcomes."""

Label = Literal["intact", "worn", "broken", "damaged", "unusable"]
"""What a review can say; `damaged` is for an insert that is worn or broken, whichever."""

LABELS: Final[tuple[Label, ...]] = get_args(Label)
"""All labels."""

OUTCOME_OF: Final[dict[str, Outcome]] = {
    "intact": "intact",
    "worn": "damaged",
    "broken": "damaged",
    "damaged": "damaged",
    "unusable": "unusable",
}
"""The outcome that each label stands for."""

CheckState = Literal["go", "replace", "review"]
"""What a check comes to, by rising priority: all inserts are intact, some are damaged, a person must look."""

State = Literal["pending", CheckState]
"""The state of a check; `pending` until it has come to something."""

STATES: Final[tuple[State, ...]] = ("pending", *get_args(CheckState))
"""All states of a check."""

SIMULATED_MACHINE: Final = "sim-mill"
"""The machine of a simulated station, if it is given no other name: by it other systems know that no insert is real."""
