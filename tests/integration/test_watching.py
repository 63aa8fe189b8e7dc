"""`insert-station watch` as a process, on folders as plants have them: slow, vanishing, read-only, watched already."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from producer.delivery.outbox import Outbox
from producer.station.folder_lock import LOCK_FILE
from tests.forked_commands import RunningCommand, start_command
from tests.shares import shared as share
from tests.slow_writers import WAYS, write_slowly
from tests.support import RedisProcess, photograph, program, wait_until


class Watch:
    """A watching station as a process of its own, with a data folder of its own unless it shares one."""

    def __init__(self, folder: Path, data: Path, redis_url: str, station: str, *options: str, before: str = ""):
        self.folder = folder
        self.data = data
        self.station = station
        data.mkdir(parents=True, exist_ok=True)
        self.out = data / f"{station}.out"
        self.err = data / f"{station}.err"
        arguments = ("watch", str(folder), "--check-size", "1", "--json", *options)
        environment = os.environ | {
            "INSERTS_DATA": str(data),
            "INSERTS_REDIS_URL": redis_url,
            "INSERTS_STATION": station,
            "INSERTS_WATCH_EVERY": "0.2",
        }
        self.process: RunningCommand | subprocess.Popen[bytes]
        if not before:
            self.process = start_command(
                "insert-station", *arguments, environment=environment, out=self.out, log=self.err
            )
            return
        command = shlex.join([program("insert-station"), *arguments])
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-euc", f"{before}\nexec {command}"],
                env=environment,
                stdout=out,
                stderr=err,
            )

    def wait_until_it_watches(self) -> None:
        lock = self.folder / LOCK_FILE
        wait_until(lambda: lock.exists() or self.process.poll() is not None, what="a lock")
        assert self.process.poll() is None, self.err.read_text()

    def said(self, words: str) -> int:
        """How often it said so."""
        return self.err.read_text().count(words)

    def handed_in(self) -> list[str]:
        """The places of the captures in its outbox, in order."""
        outbox = Outbox(self.data / "outbox" / f"{self.station}.db")
        try:
            events = [waiting.event for waiting in outbox.waiting()]
        finally:
            outbox.close()
        return sorted(f"{event.operation}/{event.pocket}" for event in events)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "camera").mkdir()
    return tmp_path / "camera"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def photo(folder: Path, name: str, seed: int = 0) -> Path:
    path = folder / "mill-1" / "H1" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(photograph(seed=seed))
    return path


def test_slow_writers_are_waited_for_and_every_byte_is_kept(
    tmp_path: Path, worker_data: Path, redis_server: RedisProcess, stack: ExitStack
) -> None:
    watches = []
    for seconds in (1.0, 3.0, 8.0):
        folder = tmp_path / f"camera-{seconds:.0f}"
        folder.mkdir()
        watches.append(Watch(folder, worker_data, redis_server.url, f"station-{seconds:.0f}"))
        stack.callback(watches[-1].stop)
        for thread in write_slowly(folder, seconds):
            stack.callback(thread.join)

    def verdicts(watch: Watch) -> list[dict[str, str]]:
        # While it is written, the last line may not be there in full.
        whole = [text for text in watch.out.read_text().splitlines(keepends=True) if text.endswith("\n")]
        return [answer for answer in map(json.loads, whole) if answer["kind"] == "verdict"]

    for watch in watches:
        wait_until(lambda watch=watch: len(verdicts(watch)) >= len(WAYS), 120, f"all verdicts of {watch.station}")  # type: ignore[misc]
    stack.close()  # whatever would come twice has come
    for watch in watches:
        assert len(verdicts(watch)) == len(WAYS), watch.err.read_text()
        assert {answer["outcome"] for answer in verdicts(watch)} == {"unsure"}, "no model yet, and nothing unusable"
        images = sorted(path.read_bytes() for path in (worker_data / "images" / watch.station).rglob("*.*"))
        assert images == sorted(data for _, data, _ in WAYS.values())
        assert watch.said("handed in as it is") == 0


def test_changes_of_which_the_kernel_tells_nothing_are_seen(
    folder: Path, tmp_path: Path, redis_server: RedisProcess, stack: ExitStack
) -> None:
    watch = Watch(folder, tmp_path / "line", redis_server.url, "station-1")
    stack.callback(watch.stop)
    watch.wait_until_it_watches()
    photo(folder, "op-1/1.jpg")
    wait_until((folder / "submitted/mill-1/H1/op-1/1.jpg").exists, what="a photograph handed in")
    open_files = []
    for each in Path(f"/proc/{watch.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            open_files.append(str(each.readlink()))
    assert open_files
    assert not [each for each in open_files if "inotify" in each]


def test_a_folder_that_vanishes_and_comes_back_is_watched_again(
    folder: Path, tmp_path: Path, redis_server: RedisProcess, stack: ExitStack
) -> None:
    watch = Watch(folder, tmp_path / "line", redis_server.url, "station-1")
    stack.callback(watch.stop)
    watch.wait_until_it_watches()
    folder.rename(tmp_path / "away")
    wait_until(lambda: watch.said("the folder is gone"), what="a word that the folder is gone")
    photo(tmp_path / "away", "op-1/1.jpg")
    (tmp_path / "away").rename(folder)
    wait_until(lambda: watch.said("the folder is back"), what="a word that it is back")
    wait_until((folder / "submitted/mill-1/H1/op-1/1.jpg").exists, what="a photograph handed in")
    assert (watch.said("the folder is gone"), watch.said("the folder is back")) == (1, 1)


def test_a_share_that_is_unmounted_is_away_though_its_mount_point_stays(
    folder: Path, tmp_path: Path, redis_server: RedisProcess, stack: ExitStack
) -> None:
    share = tmp_path / "share"
    share.mkdir()

    def mount(*command: str | Path) -> None:
        tried = subprocess.run(command, capture_output=True, check=False)
        if tried.returncode != 0:
            pytest.skip(f"this user may not mount ({tried.stderr.decode().strip()}); see test_watched_folder.py")

    mount("mount", "--bind", share, folder)
    stack.callback(subprocess.run, ["umount", "--lazy", folder], capture_output=True, check=False)
    watch = Watch(folder, tmp_path / "line", redis_server.url, "station-1")
    stack.callback(watch.stop)
    watch.wait_until_it_watches()
    mount("umount", "--lazy", folder)
    wait_until(lambda: watch.said("is its share mounted?"), what="a word that the share is away")
    photo(share, "op-1/1.jpg")
    mount("mount", "--bind", share, folder)
    wait_until((folder / "submitted/mill-1/H1/op-1/1.jpg").exists, what="a photograph handed in")
    assert (watch.said("the folder is gone"), watch.said("the folder is back")) == (1, 1)


def test_a_share_that_hangs_is_said_and_the_watch_can_be_ended(
    folder: Path, tmp_path: Path, redis_server: RedisProcess, stack: ExitStack
) -> None:
    """As a hard mount of NFS does, whose server is away: whoever looks at it waits, whatever signal comes."""
    there = tmp_path / "there"
    there.mkdir()
    stack.enter_context(share(there, folder))
    (server,) = (
        int(pid)
        for pid in subprocess.run(
            ["pgrep", "-f", f"bindfs {there} {folder}"], capture_output=True, check=True
        ).stdout.split()
    )
    watch = Watch(folder, tmp_path / "line", redis_server.url, "station-1")
    stack.callback(watch.stop)
    watch.wait_until_it_watches()
    os.kill(server, signal.SIGSTOP)
    on_again = stack.callback(os.kill, server, signal.SIGCONT)
    wait_until(lambda: watch.said("the folder does not answer"), what="a word that the share hangs")
    watch.process.terminate()
    wait_until(lambda: watch.said("ended in the middle of a look"), what="a word that it ends")
    on_again(server, signal.SIGCONT)  # for the kernel lets no process go whose question the server has taken already
    assert watch.process.wait(30) == 0


@pytest.mark.parametrize("shared", [True, False], ids=["one station", "two stations"])
def test_a_second_watch_on_a_folder_is_refused_and_a_killed_one_leaves_no_lock(
    folder: Path, tmp_path: Path, redis_server: RedisProcess, stack: ExitStack, shared: bool
) -> None:
    first = Watch(folder, tmp_path / "line", redis_server.url, "station-1")
    stack.callback(first.stop)
    photo(folder, "op-1/1.jpg")
    wait_until((folder / "submitted/mill-1/H1/op-1/1.jpg").exists, what="a photograph handed in")

    def another() -> Watch:
        watch = Watch(folder, tmp_path / ("line" if shared else "line-2"), redis_server.url, "station-1")
        stack.callback(watch.stop)
        return watch

    second = another()
    assert second.process.wait(30) == 2
    assert second.said("another `watch` has") == 1
    assert second.said("Traceback") == 0
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    third = another()
    photo(folder, "op-1/2.jpg", seed=2)
    photo(folder, "op-2/1.jpg", seed=1)
    wait_until((folder / "submitted/mill-1/H1/op-2/1.jpg").exists, what="a photograph handed in")
    assert third.process.poll() is None


READ_ONLY = 'mount --bind "{0}" "{0}"; mount -o remount,bind,ro "{0}"'


@pytest.fixture
def read_only(folder: Path) -> str:
    """Shell commands after which a process sees `folder` as one that may only be read; others may write it."""
    commands = READ_ONLY.format(folder)
    tried = subprocess.run(["unshare", "--mount", "sh", "-euc", commands], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("this user may not mount; test_watch.py has the same in one process")
    return commands


def test_a_share_that_may_only_be_read_is_remembered(
    folder: Path, tmp_path: Path, redis_server: RedisProcess, stack: ExitStack, read_only: str
) -> None:
    def watching() -> Watch:
        watch = Watch(folder, tmp_path / "line", redis_server.url, "station-1", before=read_only)
        stack.callback(watch.stop)
        return watch

    first = watching()
    photo(folder, "op-1/1.jpg")
    photo(folder, "op-1/left.jpg")
    wait_until(lambda: first.said("handed in mill-1 H1 op-1 pocket 1"), what="a photograph handed in")
    wait_until(lambda: first.said("a file was rejected"), what="a word on what is no photograph")
    first.stop()
    os.utime(folder / "mill-1/H1/op-1/1.jpg", (5, 5))
    second = watching()
    photo(folder, "op-2/1.jpg", seed=1)
    wait_until(lambda: second.said("handed in mill-1 H1 op-2 pocket 1"), what="the next one handed in")
    other = Watch(folder, tmp_path / "line-2", redis_server.url, "station-2", before=read_only)
    stack.callback(other.stop)
    assert other.process.wait(30) == 2
    second.stop()
    assert second.handed_in() == ["op-1/1", "op-1/2", "op-2/1"], "of left.jpg one stand-in: it may be of any pocket"
    assert second.said("may only be read") == 2, "once for each start"
    assert second.said("level") < 10, second.err.read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["mill-1"]
