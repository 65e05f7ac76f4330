"""Somebody at a keyboard: Tab, Shift+Tab, Enter, Space, arrows, and what they type in a field."""

from __future__ import annotations

from playwright.sync_api import Locator

from tests.browser.conftest import Screen

MOST_STOPS = 120
PARTS_OF_A_DATE = 4
"""How many times the focus may stay in one control: a date has a day, a month, a year, a picker."""
STOP = """(wanted) => {
  const at = document.activeElement;
  const shown = (at.matches(".aside") && at.nextElementSibling) || at;
  const style = getComputedStyle(shown);
  const box = shown.getBoundingClientRect();
  window.stayed = at === window.lastStop && at !== document.body ? window.stayed + 1 : 1;
  window.lastStop = at;
  return {
    there: at === wanted,
    stayed: window.stayed,
    html: at.outerHTML.slice(0, 90),
    seen: at === document.body || (style.outlineStyle === "solid"
      && parseFloat(style.outlineWidth) > 0 && box.width > 0
      && box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight),
  };
}"""


def go_to(found: Screen, selector: str, step: str = "Tab") -> Locator:
    """Go to something with Tab or Shift+Tab: at every stop the focus is seen and goes on."""
    wanted = found.page.locator(selector).first
    wanted.wait_for(state="attached")  # on the next page, where one is on its way
    found.loaded()
    for _ in range(MOST_STOPS):
        found.page.keyboard.press(step)
        stop = wanted.evaluate(STOP)
        assert stop["seen"], f"the focus does not show on {stop['html']}"
        assert stop["stayed"] <= PARTS_OF_A_DATE, f"{step} does not leave {stop['html']}"
        if stop["there"]:
            return wanted
    raise AssertionError(f"{selector} was not reached by {MOST_STOPS} times {step}")


def press(found: Screen, selector: str, key: str = "Enter", step: str = "Tab") -> None:
    """Go to something and press a key there."""
    go_to(found, selector, step)
    found.page.keyboard.press(key)


def write(found: Screen, selector: str, text: str) -> None:
    """Go to a field and type."""
    go_to(found, selector)
    found.page.keyboard.type(text)
