from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from producer.storage.folder import FolderStore
from producer.storage.opening import open_image_store
from producer.storage.store import ImageStore
from tests.s3 import S3Server
from tests.support import photograph, stored_event, wait_until
from worker.line.image_fetch import AbsentImage, LoadedImage, fetch, wait_for_store
from worker.runtime import waiting
from worker.runtime.waiting import ShuttingDown, stop_waiting


class Mount(FolderStore):
    """A folder on a network mount: `fails` is the error of everything in it, `bad` the key that alone gives EIO."""

    fails: int | None = None
    bad = ""
    tries = 0

    def get(self, key: str, limit: int) -> bytes:
        self.tries += 1
        error = self.fails or (errno.EIO if key == self.bad else None)
        if error is not None:
            raise OSError(error, "the mount", key)
        return super().get(key, limit)


class Counted:
    """A store that counts how often it is asked."""

    def __init__(self, store: ImageStore):
        self._store = store
        self.put = store.put
        self.tries = 0

    def get(self, key: str, limit: int) -> bytes:
        self.tries += 1
        return self._store.get(key, limit)


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path)


@pytest.fixture(autouse=True)
def _not_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_shutting_down", threading.Event())


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EACCES])
def test_a_mount_that_is_away_is_waited_for(mount: Mount, error: int) -> None:
    event = stored_event(mount, photograph())
    mount.fails = error
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(fetch(mount, event)))
    thread.start()
    wait_until(lambda: mount.tries >= 4)
    assert not found
    mount.fails = None
    thread.join(60)
    assert found == [LoadedImage(photograph())]


@pytest.mark.parametrize("instead", ["nothing", "a file"])
def test_a_folder_that_is_not_there_is_away_and_no_photograph_of_it_is_missing(tmp_path: Path, instead: str) -> None:
    mount = Mount(tmp_path / "images")
    event = stored_event(mount, photograph())
    away = mount.root.rename(tmp_path / "away")
    if instead == "a file":
        mount.root.write_text("in its place")
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(fetch(mount, event)))
    thread.start()
    wait_until(lambda: mount.tries >= 3)
    assert not found
    if instead == "a file":
        mount.root.unlink()
    away.rename(mount.root)
    thread.join(60)
    assert found == [LoadedImage(photograph())]


def test_one_image_that_cannot_be_read_holds_nobody_up(mount: Mount) -> None:
    event = stored_event(mount, photograph())
    mount.bad = event.image
    image = fetch(mount, event)
    assert isinstance(image, AbsentImage)
    assert (image.fault.reason, image.may_come) == ("image_unreadable", True)
    assert event.image in image.fault.detail
    other = stored_event(mount, photograph(70))
    assert fetch(mount, other) == LoadedImage(photograph(70))


def test_a_worker_that_is_told_to_stop_hands_the_capture_back(mount: Mount) -> None:
    event = stored_event(mount, photograph())
    mount.fails = errno.ESTALE
    threading.Timer(0.3, stop_waiting).start()
    with pytest.raises(ShuttingDown, match="image store is away"):
        fetch(mount, event)


@pytest.mark.slow
def test_an_s3_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    server = S3Server()
    server.start()
    try:
        store = Counted(open_image_store(server.new_bucket(monkeypatch)))
        event = stored_event(store, photograph())
        server.stop()
        found: list[object] = []
        threads = [threading.Thread(target=lambda: found.append(fetch(store, event))) for _ in range(8)]
        threads.append(threading.Thread(target=lambda: found.append(wait_for_store(store))))
        for thread in threads:
            thread.start()
        wait_until(lambda: store.tries >= 30)
        assert not found
        server.start()
        for thread in threads:
            thread.join(30)
        assert found.count(LoadedImage(photograph())) == 8
        assert found.count(None) == 1
    finally:
        server.stop()
