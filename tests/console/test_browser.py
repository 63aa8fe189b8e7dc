"""A browser that ended costs no other test."""

from __future__ import annotations

from contextlib import suppress

from selenium.common.exceptions import WebDriverException

from tests.console.browser import Browser


def test_a_browser_that_has_ended_is_replaced(browser: Browser) -> None:
    with suppress(WebDriverException):
        browser.ready().execute_cdp_cmd("Browser.crash", {})
    replaced = browser.ready()
    assert replaced.execute_script("return 1 + 1") == 2
    assert browser.ready() is replaced
