"""The console's TCP port, and whether a port of this machine is free, checked before anything else is started."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONSOLE_PORT: Final = 8377
"""Where the console listens, if it is given no other port."""

_LISTENING: Final = "0A"
"""In /proc/net/tcp: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html"""


class PortRefused(ValueError):
    """The port, or the address, cannot be had; the message says why and what to do."""


class PortTaken(PortRefused):
    """Another process listens on it."""


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port."""

    pid: int
    name: str
    folder: Path | None
    """The folder that it works in, where that may be seen."""


def check_port(address: str, port: int, option: str) -> None:
    """Make sure that a process may listen on this port of this address of the machine.

    Args:
        address: of this machine, not a name.
        port: the TCP port.
        option: how the user chooses another: `--port`, `INSERTS_METRICS_PORT`.

    Raises:
        PortTaken: another process listens there.
        PortRefused: it is not this machine's address, or the port is none, or for root alone.
    """
    if not 0 < port < 65536:
        raise PortRefused(f"port {port} is none: choose one from 1 to 65535 with {option}")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Redis does: a port just left is free
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(socket.getaddrinfo(address, port, family, socket.SOCK_STREAM)[0][4])
            probe.listen()
    except OSError as error:
        code = error.errno
        if code == errno.EADDRINUSE:
            held = holder(port)
            by = f" (by {held.name}, process {held.pid})" if held else ""
            raise PortTaken(f"port {port} is in use{by}: choose another with {option}") from error
        if code == errno.EACCES:
            raise PortRefused(f"port {port} is for root alone: choose one above 1023 with {option}") from error
        if code == errno.EADDRNOTAVAIL:
            raise PortRefused(f"{address} is no address of this machine: `ip address` lists those it has") from error
        raise PortRefused(f"{address} cannot be listened on at port {port}: {error}") from error


def holder(port: int) -> Holder | None:
    """The process that listens on a port of this machine, on any address; None where that cannot be found out."""
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net", table), port)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(file.readlink()) in sockets for file in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                return Holder(int(process.name), name, (process / "cwd").readlink())
        except OSError:  # it has ended, or is another user's
            continue
    return None


def _listening(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    except OSError:  # not Linux, or no IPv6
        return []
    return [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]
