"""What every page of a running console needs: settings, database, photographs, heads and templates."""

from __future__ import annotations

from asyncio import Semaphore
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from fastapi import Request
from jinja2 import Environment

from db.console.drawing.head_cards import HeadCards
from db.console.live.feed import Feed
from db.console.live.pieces import Pieces
from db.console.settings import ConsoleSettings
from db.console.sign_in.throttle import Throttle
from db.engine.database import Database
from db.learning.change_cost import ChangeCosts
from db.people.session_limits import Limits
from producer.station.followed_register import FollowedRegister
from producer.station.head_register import HeadRegister
from producer.storage.store import ImageStore

PASSWORDS_AT_ONCE: Final = 2
"""How many sign-ins are checked at once: each takes a fifth of a second of four cores and 64 MiB."""


@dataclass(frozen=True)
class Console:
    """One console, shared by all its requests."""

    settings: ConsoleSettings
    database: Database
    feed: Feed
    pieces: Pieces
    images: ImageStore
    register: FollowedRegister | None
    templates: Environment
    cards: HeadCards
    passwords: Semaphore = field(default_factory=lambda: Semaphore(PASSWORDS_AT_ONCE))
    """A turn to check a password: who signs in waits for others who do, and keeps no page and no board waiting."""

    throttle: Throttle = field(default_factory=Throttle)
    token_throttle: Throttle = field(default_factory=Throttle)
    """Separate: a program that keeps sending an ended token does not keep people from signing in."""

    provider_throttle: Throttle = field(default_factory=Throttle)
    """Separate: another site's page can send a browser back from a provider, and must not lock out passwords."""

    @property
    def heads(self) -> HeadRegister | None:
        """The head register, as its file was when it was last still."""
        return None if self.register is None else self.register.register

    @property
    def change_costs(self) -> ChangeCosts:
        """What changing an insert costs."""
        return ChangeCosts(self.settings.planned_change, self.settings.damaged_change)

    @property
    def session_limits(self) -> Limits:
        """How long a session lasts."""
        settings = self.settings
        return Limits(timedelta(hours=settings.console_idle_hours), timedelta(hours=settings.console_session_hours))


def console_of(request: Request) -> Console:
    """The console that answers a request."""
    console: Console = request.app.state.console
    return console
