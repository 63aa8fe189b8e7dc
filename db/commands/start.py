"""Where `insert-db` begins."""

from __future__ import annotations

from producer.terminal.start import start


def main() -> None:
    """Run `insert-db`."""
    start("db.commands.main")
