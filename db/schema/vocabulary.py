"""The words of the database that no message says; outcomes, labels and states are in `producer.contract.vocabulary`."""

from __future__ import annotations

from typing import Final

FAULT_STATES: Final = ("open", "requeued", "closed", "dismissed")
"""What a person has made of a fault."""

ROLES: Final = ("champion", "shadow")
"""What a model can be there for: the champion judges, a shadow judges alongside and the line never sees it."""

ACTIONS: Final = ("promoted", "rolled_back", "ended")
"""How a model came into its role; `ended` leaves a role empty."""

PLACES: Final = ("station", "machine", "head", "operation")
"""What a capture can be asked for by, beside its pocket."""
