"""Real services that the tests start themselves."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tests.built_commands  # noqa: F401 - before the programs
import tests.environment  # noqa: F401 - before NumPy
from tests import leftovers
from tests.network_support import built_networks
from tests.support import SHARED, RedisProcess

if TYPE_CHECKING:
    import execnet
    from selenium import webdriver

    from tests.console.browser import Browser
    from tests.openid_provider import OpenIdProvider
    from tests.s3 import S3Server


# The levels whose tests run beside other processes: services, commands, a browser.
_TRIED_TWICE = ("tests/integration/", "tests/acceptance/", "tests/console/")

# Those are mixed, each spread over the whole: what asks databases alone is another kind than what runs processes.
_MIXED = ("tests/integration/db/", *_TRIED_TWICE)


def pytest_configure() -> None:
    """Nothing outlives the session, also where that is killed."""
    leftovers.end_with_this_session()


@pytest.hookimpl(optionalhook=True)  # there is none without xdist
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[execnet.XSpec]) -> None:
    """The workers are forked: what they import is imported once."""
    if len(specs) > 1 and Path("/proc").is_dir():
        of_a_part = [] if _is_whole(config) else ["-m", config.option.markexpr, *config.args]
        for spec in specs:
            spec.python = shlex.join([sys.executable, "-m", "tests.forked_worker", *of_a_part])


@pytest.hookimpl(trylast=True)  # once `tests/unit/conftest.py` has marked the slow ones
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the levels that have long files; the many short ones of tests/unit last, so that no process ends alone.

    xdist hands files out in this order (`--dist loadfile --no-loadscope-reorder`). A browser takes a whole core, a
    database little, and who kills services mostly waits. Level after level, browsers shared the cores for minutes, and
    they then had little to do for as long; and all began with who waits until the first has trained a model.

    A test beside other processes that fails is tried once more, from its fixtures on (docs/decisions/0036): the end of
    the run names it as `RERUN`, with what failed, and it is a fault to be mended all the same.
    """
    files: dict[str, dict[Path, None]] = {}
    for item in items:
        if item.nodeid.startswith(_TRIED_TWICE):
            item.add_marker(pytest.mark.flaky(reruns=1))
            level = next(level for level in _MIXED if item.nodeid.startswith(level))
            files.setdefault(level, {})[item.path] = None
    places = {
        path: (number + 0.5) / len(of_level) for of_level in files.values() for number, path in enumerate(of_level)
    }
    items.sort(key=lambda item: (places.get(item.path, 1.0), "slow" not in item.keywords))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What failed in the tests that were tried once more: a fault that shows now and then is not forgotten."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"failed, and was tried once more: {report.nodeid}", "-")
        terminalreporter.line(report.longreprtext)


def _is_whole(config: pytest.Config) -> bool:
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without Python's collector of garbage, and have it leave alone what is there then.

    Nothing of what collecting imports and makes is garbage, but the collector walks through all of it time and again:
    more than a third of the collection's processor time, in each of xdist's workers. While the tests run it looks more
    seldom than by default too: a tenth of their processor time, in a process that has imported everything.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 10, 5)
        gc.enable()


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of our settings is in the environment."""
    for name in [name for name in os.environ if name.startswith("INSERTS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path / "redis-of-the-test")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the session's networks, with those of `tests.network_support` in it."""
    return built_networks(tmp_path_factory)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A real S3 over HTTP on this machine, for all tests of the process."""
    from tests.s3 import S3Server  # takes half a second to import

    server = S3Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3_root(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A URL in a new bucket of that S3, which the environment's variables lead to."""
    return f"{s3_server.new_bucket(monkeypatch)}/images"


@pytest.fixture(scope="session")
def openid_running() -> Iterator[OpenIdProvider]:
    """A real OpenID provider on this machine, for all tests of the process."""
    from tests.openid_provider import openid_provider

    with openid_provider() as provider:
        yield provider


@pytest.fixture
def openid(openid_running: OpenIdProvider) -> Iterator[OpenIdProvider]:
    """That provider, which afterwards says again what it said before."""
    person = dict(openid_running.person)
    yield openid_running
    openid_running.person, openid_running.spoil, openid_running.signing = person, dict, openid_running.signed


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of the process."""
    from tests.console.browser import CHROMIUM, DRIVER, Browser

    if CHROMIUM is None or DRIVER is None:
        pytest.skip("there is no Chromium here: apt-get install chromium chromium-driver")
    opened = Browser()
    yield opened
    opened.close()


@pytest.fixture
def chromium(browser: Browser) -> webdriver.Chrome:
    return browser.ready()


@pytest.fixture
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared photographs and weights are not here")
    return SHARED
