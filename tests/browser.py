"""A real browser, where the machine has one: Chromium with its driver."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1400,1200")


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Yields Chromium. Skips the test without one, but fails it where RUNNER_NEEDS_BROWSER is set, as in CI."""
    found, driver = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
    if not found or not driver:
        why = "Debian's packages chromium and chromium-driver are not installed"
        pytest.fail(why) if os.environ.get("RUNNER_NEEDS_BROWSER") else pytest.skip(why)
    options = Options()
    options.binary_location = str(found)
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(str(driver)))
    try:
        yield opened
    finally:
        opened.quit()


@contextmanager
def board(logdir: Path) -> Iterator[str]:
    """Yields the address of TensorBoard with the tab, as `make tensorboard` starts it."""
    command = [sys.executable, "-m", "runner", "board", "--logdir", str(logdir), "--port", "0"]
    log = logdir.parent / "board.txt"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield until(lambda: re.search(r"http://\S+:\d+/", log.read_text())).group()
    finally:
        process.terminate()
        process.wait()


def until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Returns the first true value of a condition; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.3)
    return found


def tab(opened: webdriver.Chrome, address: str, **values: str) -> None:
    """Opens the tab and steps into its frame."""
    opened.get(address + "#ablations" + "".join(f"&p.ablations.{key}={value}" for key, value in values.items()))
    until(lambda: opened.find_elements("tag name", "iframe"))
    opened.switch_to.frame(0)
    until(lambda: opened.find_elements("css selector", "main h1"))


def texts(opened: webdriver.Chrome, selector: str) -> list[str]:
    """Returns the texts of the elements that a CSS selector finds, also of SVG."""
    script = "return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)"
    return list(map(str, opened.execute_script(script, selector)))


def complaints(opened: webdriver.Chrome) -> list[str]:
    """Returns the errors in the browser's console."""
    log: Any = opened.get_log("browser")  # type: ignore[no-untyped-call]
    return [each["message"] for each in log if each["level"] == "SEVERE"]


def hosts(opened: webdriver.Chrome) -> set[str]:
    """Returns every host that the frame and the page have asked for anything."""
    script = "return performance.getEntriesByType('resource').map(each => new URL(each.name).host)"
    inner = opened.execute_script(script)
    opened.switch_to.default_content()
    return {*inner, *opened.execute_script(script)} - {""}
