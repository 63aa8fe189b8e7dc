from __future__ import annotations

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest
import redis

from tests.support import RedisProcess, wait_until
from worker.embedded import redis_server as module
from worker.embedded.redis_server import NoRedisServer, RedisFiles, find_redis_server, free_port, prepare_redis


def test_the_password_is_in_private_files_only(tmp_path: Path) -> None:
    files = prepare_redis(tmp_path, 6390)
    password = files.url.split(":")[2].split("@")[0]
    assert len(password) >= 24
    assert not any(password in word for word in files.command)
    private = [tmp_path / "redis.url", tmp_path / "redis" / "redis.conf", tmp_path / "redis" / "password"]
    for file in private:
        assert password in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert prepare_redis(tmp_path, 6391).url.split("@")[0] == files.url.split("@")[0]


def test_a_password_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken at the next start, an empty one would let anybody in."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left on device.*password"):
            prepare_redis(tmp_path, 6390)
    assert not (tmp_path / "redis" / "password").exists()


def test_it_refuses_whoever_does_not_know_the_password(redis_server: RedisProcess) -> None:
    port = redis_server.url.rsplit(":", 1)[1]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(f"redis://127.0.0.1:{port}").ping()


def test_it_keeps_its_data_when_it_is_killed(redis_server: RedisProcess) -> None:
    client = redis_server.client()
    client.lpush("inspect", "event")
    # appendfsync everysec: wait for the sync, which a killed process (unlike a lost machine) does not even need
    wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0)  # type: ignore[index]
    redis_server.kill()
    redis_server.start()
    assert redis_server.client().lrange("inspect", 0, -1) == ["event"]


@pytest.mark.parametrize("name", ["line [alt]", "line * ?", 'a "quoted" \\ line', "Größe 大"])
def test_it_reads_its_configuration_whatever_the_folder_is_called(tmp_path: Path, name: str) -> None:
    server = RedisProcess(tmp_path / name)
    server.start()
    try:
        assert server.client().config_get("appendonly") == {"appendonly": "yes"}
        assert server.client().config_get("dir") == {"dir": str(tmp_path / name / "redis")}
    finally:
        server.kill()


def test_full_is_full(redis_server: RedisProcess) -> None:
    assert redis_server.client().config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_program_on_the_path_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "valkey-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server() == program


def test_without_any_server_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NoRedisServer, match="apt-get install redis-server"):
        find_redis_server()


def test_a_server_that_does_not_come_up_is_reported(tmp_path: Path) -> None:
    files = prepare_redis(tmp_path, free_port())
    with pytest.raises(TimeoutError, match="did not answer"):
        files.wait_until_up(timeout=0.2)


def test_a_server_that_reads_its_data_for_long_is_waited_for(redis_server: RedisProcess) -> None:
    client = redis_server.client()
    if not client.config_get("loading-process-events-interval-bytes"):
        pytest.skip("Redis 6.2 cannot be made to answer while it loads little")
    client.mset({str(number): "ballast" for number in range(1000)})
    client.bgrewriteaof()
    wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])  # type: ignore[index]
    redis_server.kill()
    slow = ["--key-load-delay", "3000", "--loading-process-events-interval-bytes", "1024"]  # 3 s in all
    files = RedisFiles([*redis_server.files.command, *slow], redis_server.url)
    process = subprocess.Popen(files.command, stdout=subprocess.DEVNULL)
    try:
        files.wait_until_up(timeout=1.5)
        assert client.exists(*map(str, range(1000))) == 1000
    finally:
        process.kill()
        process.wait()


def test_the_found_server_is_a_real_one() -> None:
    told = subprocess.run([find_redis_server(), "--version"], capture_output=True, text=True, check=True)
    assert "v=" in told.stdout
