"""A real Chromium, and a console as a process of its own."""

from __future__ import annotations

import os
import shutil
import urllib.request
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.console_plant import Plant
from tests.console_support import PASSWORD
from tests.forked_commands import start_command
from tests.support import wait_until

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


def open_chromium(width: int = 1440, height: int = 900) -> webdriver.Chrome:
    """A browser that reaches this machine and nothing else."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for each in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        f"--window-size={width},{height}",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE 127.0.0.2",
    ):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chromium = webdriver.Chrome(options=options, service=Service(DRIVER))
    chromium.set_page_load_timeout(60)
    return chromium


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
            chromium.get("about:blank")
            chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})  # a language that was chosen is of every port
            chromium.get_log("performance")
            chromium.get_log("browser")
            return True
        return False


class Server:
    """`insert-db console` on a plant, which may be killed and started again on its port."""

    def __init__(self, plant: Plant, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._plant, self._port = plant, port
        self._log = plant.folder / "console.log"
        self._process: ForkServerProcess | None = None

    def start(self) -> None:
        environment = {**os.environ, "INSERTS_HEADS": str(self._plant.heads_file)}
        command = ("--data", str(self._plant.folder), "console", "--port", str(self._port))
        self._process = start_command("insert-db", *command, environment=environment, log=self._log)
        wait_until(self._answers, 60, f"the console ({self._log.read_text()})")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()

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

    def sign_in(self, name: str = "ana", path: str = "/") -> None:
        self.chromium.delete_all_cookies()
        self.open("/login?next=" + path.replace("/", "%2F"))
        self.fill_in(name)
        wait_until(lambda: "/login" not in self.chromium.current_url, 20, "signing in")
        wait_until(lambda: self.script("return document.readyState === 'complete'"), 20, "the page's scripts")

    def fill_in(self, name: str) -> None:
        self.chromium.find_element(By.NAME, "name").send_keys(name)
        self.chromium.find_element(By.NAME, "password").send_keys(PASSWORD, Keys.ENTER)

    def click_into_new_window(self, selector: str) -> None:
        """Follow a link that opens a window of its own, and look at that: it is there some time after the click."""
        before = set(self.chromium.window_handles)
        self.find(selector).click()
        wait_until(lambda: set(self.chromium.window_handles) - before, 20, "the new window")
        (window,) = set(self.chromium.window_handles) - before
        self.chromium.switch_to.window(window)
        wait_until(lambda: self.script("return document.readyState === 'complete' && location.pathname !== 'blank'"))

    def press(self, *keys: str) -> None:
        for key in keys:
            webdriver.ActionChains(self.chromium).send_keys(key).perform()

    def find(self, selector: str) -> Any:
        return self.chromium.find_element(By.CSS_SELECTOR, selector)

    def shows(self, selector: str) -> bool:
        try:
            return any(each.is_displayed() for each in self.chromium.find_elements(By.CSS_SELECTOR, selector))
        except StaleElementReferenceException:  # the page has just put another in its place
            return False

    def text(self, selector: str) -> str:
        """What the first such element says, as a person sees it; nothing where there is none."""
        return str(self.script("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def script(self, text: str, *arguments: Any) -> Any:
        return self.chromium.execute_script(text, *arguments)

    def shown_capture(self) -> str:
        """The capture whose photograph is looked at, painted in full."""
        ready = "const i = document.getElementById('image'); return i.complete && i.naturalWidth ? i.dataset.id : ''"
        return str(self.script(ready))

    def complaints(self) -> list[str]:
        """What the browser itself complains of: errors of scripts, and what the policy forbids."""
        said = [entry["message"] for entry in self.chromium.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in said if "favicon" not in message]
