"""Forks commands, or xdist's workers, for a session of tests, once it has imported what they need.

`python command_server.py SOCKET NAME…` imports the modules of these names, calls the function where a name has one
(`MODULE:FUNCTION`), and then takes requests on the Unix socket: one connection for each command, on which it says the
process's id, and later what that ended with. It ends with the last of those that have connected. A script of its own,
which imports nothing of the tests: whatever it has loaded, every command has too.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """A command to be run: what a shell would give it. `stdin`, `stdout` and `stderr` are files."""

    module: str
    argv: list[str]
    environment: dict[str, str]
    cwd: str
    stdin: str
    stdout: str
    stderr: str
    own_session: bool

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def serve(listener: socket.socket) -> None:
    """Take requests until everybody who has connected has gone."""
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests; this ends after them
    clients: dict[socket.socket, bytes] = {}
    running: dict[int, socket.socket] = {}
    was_used = False
    while clients or not was_used:
        ready, _, _ = select.select([listener, woken, *clients], [], [])
        for each in ready:
            if each is listener:
                clients[listener.accept()[0]] = b""
                was_used = True
            elif each is woken:
                with suppress(BlockingIOError):
                    while woken.recv(4096):
                        pass
                for process, code in _ended():
                    _say(running.pop(process, None), code)
            elif not (part := _received(each)):
                del clients[each]
                each.close()
            else:
                clients[each] += part
                if not part.endswith(b"\n"):
                    continue  # more of the request is to come
                if process := os.fork():
                    running[process] = each
                    _say(each, process)
                    continue
                request = Request(**json.loads(clients[each]))
                signal.set_wakeup_fd(-1)
                for inherited in (listener, woken, wake, *clients):
                    inherited.close()
                _become(request)


def _received(connection: socket.socket) -> bytes:
    with suppress(ConnectionError):
        return connection.recv(1 << 16)
    return b""


def _say(connection: socket.socket | None, number: int) -> None:
    with suppress(OSError):  # who asked has gone
        if connection is not None:
            connection.sendall(b"%d\n" % number)


def _ended() -> list[tuple[int, int]]:
    """The processes that have ended, with what each ended with: a signal is its number below 0."""
    ended = []
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append((found[0], os.waitstatus_to_exitcode(found[1])))
    return ended


def _become(request: Request) -> None:
    """Be the command, in a process that was just forked, and end as an interpreter does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request.own_session:
        os.setsid()
    code: object = 1
    try:
        os.chdir(request.cwd)
        os.environ.clear()
        os.environ.update(request.environment)
        sys.argv = request.argv
        appended = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        for descriptor, path, how in (
            (0, request.stdin, os.O_RDONLY),
            (1, request.stdout, appended),
            (2, request.stderr, appended),
        ):
            file = os.open(path, how, 0o666)
            os.dup2(file, descriptor)
            os.close(file)
        _encode_streams(request.environment.get("PYTHONIOENCODING", ""))
        import_module(request.module).main()
        code = None
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as an interpreter shows it
        traceback.print_exc()
    finally:
        if isinstance(code, str):
            sys.stderr.write(f"{code}\n")
        threading._shutdown()  # type: ignore[attr-defined]  # waits for its threads
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def _encode_streams(named: str) -> None:
    """As an interpreter does that starts with this `PYTHONIOENCODING`."""
    encoding, _, errors = named.partition(":")
    for stream in (sys.stdin, sys.stdout, sys.stderr) if named else ():
        stream.reconfigure(  # type: ignore[union-attr]
            encoding=encoding or None, errors="backslashreplace" if stream is sys.stderr else errors or "strict"
        )


def main(path: str, names: list[str]) -> None:
    """Listen at once, so that who asks waits for the imports; where another does already, do nothing."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
    except OSError:
        return
    listener.listen(64)
    gc.disable()  # what is imported is no garbage; to look through it again and again takes longer than some imports
    for name in names:
        module, _, function = name.partition(":")
        imported = import_module(module)
        if function:
            getattr(imported, function)()
    del sys.path[0]  # a command finds what is installed
    gc.freeze()  # nor is it after a fork, where to look through it copies hundreds of megabytes
    gc.set_threshold(10_000, 10, 5)  # as in the tests themselves (`tests/conftest.py`)
    gc.enable()
    try:
        serve(listener)
    finally:
        Path(path).unlink()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # not the folder of the tests, but where they are found
    main(sys.argv[1], sys.argv[2:])
