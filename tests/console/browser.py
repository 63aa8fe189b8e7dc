"""A real Chromium, and a console as a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.console_support import PASSWORD
from tests.forked_commands import RunningCommand, start_command
from tests.support import wait_until

NOT_NOW = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
"""Why a click may fail that succeeds a moment later."""

_LOOKED_AT = """const image = document.getElementById("image"), now = performance.now();
if (!image.complete || !image.dataset.is) return "";
if (window.lookedAt !== image.dataset.id) [window.lookedAt, window.lookedSince] = [image.dataset.id, now];
return now > window.lookedSince + 300 ? image.dataset.id : "";"""

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


def open_chromium(width: int = 1440, height: int = 900, *, noting_requests: bool = False) -> webdriver.Chrome:
    """A browser that reaches this machine and nothing else.

    One that notes all requests takes a sixth more processor time for each page.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for each in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",  # there is none: it is computed, at a seventh more of the processor time
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        f"--window-size={width},{height}",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE 127.0.0.2",
    ):
        options.add_argument(each)
    logs = {"browser": "ALL"} | ({"performance": "ALL"} if noting_requests else {})
    options.set_capability("goog:loggingPrefs", logs)
    chromium = webdriver.Chrome(options=options, service=Service(DRIVER))
    chromium.set_page_load_timeout(60)
    return chromium


def leave(chromium: webdriver.Chrome) -> None:
    """Go to an empty page, as a script does it: for the driver's own `get` Chromium starts a process for that page."""
    if chromium.current_url == "about:blank":
        return
    chromium.execute_script("location.replace('about:blank')")
    if chromium.current_url != "about:blank":
        chromium.get("about:blank")


class Browser:
    """The one Chromium of a run. One that has hung or ended since the last test is replaced."""

    def __init__(self) -> None:
        self._opened: webdriver.Chrome | None = None

    def ready(self) -> webdriver.Chrome:
        """A browser on an empty page, without cookies and with nothing in its logs."""
        if self._opened is not None and self._rests(self._opened):
            return self._opened
        self.close()
        self._opened = open_chromium()
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.quit()
            self._opened = None

    @staticmethod
    def _rests(chromium: webdriver.Chrome) -> bool:
        with suppress(WebDriverException):
            leave(chromium)
            chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})  # a language that was chosen is of every port
            chromium.get_log("browser")
            return True
        return False


class Server:
    """`insert-db console` on a data folder, which may be killed and started again on its port."""

    def __init__(self, folder: Path, port: int, heads_file: Path | None = None) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._folder, self._port, self._heads_file = folder, port, heads_file
        self._log = folder / "console.log"
        self._process: RunningCommand | None = None

    def start(self) -> None:
        environment = dict(os.environ) | ({"INSERTS_HEADS": str(self._heads_file)} if self._heads_file else {})
        command = ("--data", str(self._folder), "console", "--port", str(self._port))
        self._process = start_command("insert-db", *command, environment=environment, log=self._log)
        wait_until(self._answers, 60, f"the console ({self._log.read_text()})")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Hang: it takes connections and says nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def replaced_by_proxy(self, status: int) -> Iterator[None]:
        """The console is gone, and a proxy answers everything in its place with that status."""

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_error(status)

            def do_POST(self) -> None:
                self.send_error(status)

            def log_message(self, *_: object) -> None:
                pass

        self.kill()
        with ThreadingHTTPServer(("127.0.0.1", self._port), Answers) as proxy:
            Thread(target=proxy.serve_forever, daemon=True).start()
            yield
            proxy.shutdown()
        self.start()

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(urllib.request.urlopen(f"{self.base}/health", timeout=2).status == 200)  # noqa: S310 - of this machine
        return False


class Page:
    """What a person does in a browser."""

    def __init__(self, chromium: webdriver.Chrome, server: Server) -> None:
        self.chromium, self.server = chromium, server

    def open(self, path: str) -> None:
        self.chromium.get(self.server.base + path)

    def sign_in(self, name: str = "ana", path: str | None = "/") -> None:
        """Begin a session by what the form of the login sends (`fill_in`), and open a page with it, where one is named.

        The first page takes half a second of processor time: let it be the one that is asked about.
        """
        with closing(HTTPConnection(self.server.base.removeprefix("http://"), timeout=60)) as console:
            form = urlencode({"name": name, "password": PASSWORD})
            kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.server.base}
            console.request("POST", "/login", form, kind)
            begun = SimpleCookie(console.getresponse().headers["Set-Cookie"])
        self.chromium.delete_all_cookies()
        for each in begun.values():
            cookie = {"name": each.key, "value": each.value, "url": self.server.base}
            self.chromium.execute_cdp_cmd("Network.setCookie", {**cookie, "httpOnly": True, "sameSite": "Strict"})
        if path is not None:
            self.open(path)
            self.complete()

    def fill_in(self, name: str) -> None:
        """Sign in on the page of the login, which leads on to another one."""
        self.find("[name=name]").send_keys(name)
        with self.another_page():
            self.find("[name=password]").send_keys(PASSWORD, Keys.ENTER)
        wait_until(lambda: "/login" not in self.chromium.current_url, what="signing in")
        self.complete()

    def click(self, selector: str) -> None:
        """Click what a person sees there, once it is there: a page may put another in its place at any time."""

        def clicked() -> bool:
            with suppress(*NOT_NOW):
                self.find(selector).click()
                return True
            return False

        wait_until(clicked, what=f"{selector} to be clicked")

    def follow(self, selector: str) -> None:
        """Click what loads another page, and wait until that is there with its scripts."""
        with self.another_page():
            self.click(selector)

    def choose_language(self, language: str) -> None:
        """Click a language, and wait until the page is there in it."""
        self.follow(f'[name="language"][value="{language}"]')
        wait_until(lambda: self.script("return document.documentElement.lang").startswith(language), what=language)

    @contextmanager
    def another_page(self) -> Iterator[None]:
        """What is done within loads another page, perhaps the same address anew; afterwards it is there.

        A click comes back while the page before is still there: what is read then is of that one, or of none.
        """
        self.script("window.wasBefore = true")
        yield
        self.complete("!window.wasBefore")

    def click_into_new_window(self, selector: str) -> None:
        """Follow a link that opens a window of its own, and look at that: it is there some time after the click."""
        before = set(self.chromium.window_handles)
        self.click(selector)
        wait_until(lambda: set(self.chromium.window_handles) - before, what="the new window")
        (window,) = set(self.chromium.window_handles) - before
        self.chromium.switch_to.window(window)
        self.complete("location.protocol !== 'about:'")

    def complete(self, and_what: str = "true") -> None:
        """Wait until the page and its scripts are loaded, and something more holds of it."""

        def is_complete() -> bool:
            with suppress(WebDriverException):  # it was asked of a page that was just going
                return bool(self.script(f"return document.readyState === 'complete' && ({and_what})"))
            return False

        wait_until(is_complete, 30, f"the page and its scripts ({and_what})")

    def press(self, *keys: str) -> None:
        for key in keys:
            webdriver.ActionChains(self.chromium).send_keys(key).perform()

    def find(self, selector: str) -> Any:
        return self.chromium.find_element(By.CSS_SELECTOR, selector)

    def shows(self, selector: str) -> bool:
        """Whether a person sees such an element."""
        visible = "e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0"
        return bool(self.script(f"return [...document.querySelectorAll(arguments[0])].some({visible})", selector))

    def text(self, selector: str) -> str:
        """What the first such element says, as a person sees it; nothing where there is none."""
        return next(iter(self.texts(selector)), "")

    def texts(self, selector: str) -> list[str]:
        """What each such element says, all at one moment."""
        return list(self.of_all(selector, "e.innerText"))

    def heights(self, selector: str) -> list[float]:
        """How high each such element is, in pixels."""
        return list(self.of_all(selector, "e.getBoundingClientRect().height"))

    def of_all(self, selector: str, what: str) -> list[Any]:
        """A script's expression of each such element `e`, all at one moment: one by one they go under our hands."""
        return list(self.script(f"return [...document.querySelectorAll(arguments[0])].map(e => {what})", selector))

    def script(self, text: str, *arguments: Any) -> Any:
        return self.chromium.execute_script(text, *arguments)

    def shown_capture(self) -> str:
        """The capture whose photograph is looked at, painted in full, for long enough that it can be labelled."""
        return str(self.script(_LOOKED_AT))

    def complaints(self) -> list[str]:
        """What the browser itself complains of: errors of scripts, and what the policy forbids."""
        said = [entry["message"] for entry in self.chromium.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in said if "favicon" not in message]
