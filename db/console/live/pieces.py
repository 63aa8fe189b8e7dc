"""Pieces of pages that many boards ask for at the same moment, made once for all who heard the same news."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from db.console.live.feed import Feed

KEPT_SECONDS: Final = 1.0
"""How long a piece is the same for all; ages in it are exact to the second."""

_MOST_PIECES: Final = 1_000
"""How many pieces are kept at most."""


@dataclass(frozen=True)
class _Piece:
    news: int
    at: float
    text: str


def begun_now() -> str:
    """Comes before everything that a page's script fetches to show: when it was begun, by this computer's clock.

    So a page (`live.js`) can distinguish it from a proxy's own answer or an old cached one, whatever headers the proxy
    lets through.
    """
    return f"<!--{time.time():.3f}-->"


class Pieces:
    """The pieces that were made since the last news.

    A piece shows the database as it was when the piece was begun. Later commits become news, and a page that gets the
    news fetches a piece that was begun later. While no page listens there is no news, and no piece is kept.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._kept: dict[Hashable, _Piece] = {}
        self._turns: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)

    def text(self, key: Hashable, make: Callable[[], str]) -> str:
        """The piece of that key; `make` makes it where there is none since the last news."""
        news = self._feed.news
        if news is None:
            return make()
        with self._turns[key]:
            piece, now = self._kept.get(key), time.monotonic()
            if piece is None or piece.news != news or now - piece.at > KEPT_SECONDS:
                if len(self._kept) >= _MOST_PIECES:
                    self._kept.clear()
                    self._turns.clear()
                try:
                    piece = self._kept[key] = _Piece(news, now, make())
                except BaseException:
                    self._turns.pop(key, None)  # what cannot be made, as a head that there is not, leaves nothing here
                    raise
            return piece.text
