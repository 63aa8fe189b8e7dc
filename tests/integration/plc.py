"""The other side of a PLC's own variables: the PLC, as a process."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.forked_commands import RunningCommand, server, start_command
from tests.integration import plc_server
from tests.integration.opcua import PASSWORD, identity
from tests.support import wait_until
from worker.embedded.redis_server import free_port

_NAME = plc_server.__name__
_FORKING = server("plcs", _NAME, "tests.integration.opcua_nodes")


class Plc:
    """The PLC as a process that may be killed and started again; it keeps nothing over that."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.server, self.client = identity(folder, "plc-server"), identity(folder, "client")
        self._file = folder / "written"
        self._process: RunningCommand | None = None

    def start(self) -> None:
        arguments = [f"opc.tcp://127.0.0.1:{self.port}", *self.server, self.client[0], "inserts", PASSWORD, self._file]
        self._process = start_command(_NAME, *map(str, arguments), log=self.folder / "plc.log", of=_FORKING)

    def listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def written(self, *names: str) -> list[Any]:
        """What was written into these, in order; the heartbeat apart if they are not named."""
        if not self._file.exists():
            return []
        lines = [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]
        return [[name, value] for name, value in lines if name in names or (not names and name != "Heartbeat")]

    def values(self, name: str) -> list[Any]:
        return [value for _, value in self.written(name)]

    def wait_for(self, check_id: object) -> None:
        """Have its program wait for a run; what it decides comes anew, where it runs before this returns."""
        Path(f"{self._file}.run").write_text(str(check_id), encoding="utf-8")
        wait_until(lambda: self.decided(check_id) or not self._runs(), what="a decision of the PLC's program")

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def obeys(self, name: str, how: str, *, does: bool) -> None:
        """Whether a variable takes what is written; how it does not: `denied`, from the next start on, or `kept`."""
        file = Path(f"{self._file}.{name}.{how}")
        file.unlink() if does else file.touch()

    def comes_second(self) -> None:
        """Have another program's namespace come before its own, from the next start on."""
        Path(f"{self._file}.other").touch()

    def lose_values(self, *names: str, **kept: object) -> None:
        """Go back to the start values, or what it had kept: its program is loaded anew, whoever is connected stays."""
        reset, whole = Path(f"{self._file}.reset"), Path(f"{self._file}.resets")
        names = names or (() if kept else tuple(plc_server.VARIABLES))
        whole.write_text(json.dumps(dict.fromkeys(names) | kept), encoding="utf-8")
        whole.rename(reset)
        wait_until(lambda: not reset.exists(), what="start values")

    def decided(self, check_id: object) -> list[str]:
        """What its program decided of that run, one after the other."""
        file = Path(f"{self._file}.decided")
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [decision for decision, _, run in (line.partition(" ") for line in lines) if run == str(check_id)]

    def configured(self) -> str:
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        names = {"state": "State", "replace": "Replace", "review": "Review", "operation": "Operation"}
        names |= {"check_id": "CheckId", "sequence": "Sequence"}
        return (
            f'site = "plant-1"\n[plc.mill]\nurl = "opc.tcp://127.0.0.1:{self.port}"\n'
            f'certificate_file = "{self.client[0]}"\nkey_file = "{self.client[1]}"\n'
            f'server_certificate_file = "{self.server[0]}"\nuser = "inserts"\npassword_file = "{password}"\n'
            'heartbeat = "ns=2;s=Heartbeat"\n[[plc.mill.head]]\nmachine = "mill-1"\nhead = "H12"\n'
            + "".join(f'{key} = "ns=2;s={name}"\n' for key, name in names.items())
        )
