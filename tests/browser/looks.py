"""What a page keeps in every size, light and dark: looked at in the browser, loaded once."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # it has none
from playwright.sync_api import Page

from tests.browser.conftest import KIOSK, PHONE, WALL, Screen

SCREENS = {"kiosk": KIOSK, "wall": WALL, "phone": PHONE}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = tuple(itertools.product(SCREENS, SCHEMES))
LEAST_KIOSK_PX = 56
LEAST_PX = 44
LEAST_TEXT_PX = 18
LEAST_WORD_PX = 20
LEAST_CONTRAST = 7
MOST_SHIFT = 0.02
ALL_RULES = {
    "resultTypes": ["violations"],
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
    },
}
BY_LANGUAGE = (
    "html-has-lang", "html-lang-valid", "valid-lang", "document-title", "button-name", "link-name",
    "label", "select-name", "summary-name", "svg-img-alt", "image-alt",
)  # fmt: skip
SMALL_TARGETS = """(least) => [...document.querySelectorAll(
    "a[href]:not(.skip), button, input:not([type=hidden]):not(.aside), select, label.button")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
  .filter(([, box]) => box.width < least - 0.5 || box.height < least - 0.5)
  .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""
CUT_TEXT = """() => [...document.querySelectorAll(".button, .key, .state, h2, .danger")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !== "visible"
    || e.getBoundingClientRect().right > innerWidth + 0.5)
  .map((e) => e.outerHTML.slice(0, 100))"""
CONTRASTS = """(selector) => {
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => {
      const s = v / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const read = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const found = read(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll(selector)]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
    .filter((e) => !e.matches(".aside"))
    .map((e) => {
      const [a, b] = [read(getComputedStyle(e).color).slice(0, 3), ground(e)].map(light);
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return [e.outerHTML.slice(0, 60), ratio];
    });
}"""
"""Each element with text of its own, and its contrast with what is behind (WCAG 2.2, relative
luminance)."""
FAINT_STATES = f"""([least, selector]) => ({CONTRASTS})(selector)
  .filter(([, ratio]) => ratio < least)"""
SMALL_TEXT = """([text, word]) => [["body", text], [".state", word]].flatMap(([selector, least]) =>
  [...document.querySelectorAll(selector)]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }))
    .filter((e) => parseFloat(getComputedStyle(e).fontSize) < least)
    .map((e) => `${e.outerHTML.slice(0, 60)} ${getComputedStyle(e).fontSize}`))"""
MOVING = """() => [...document.querySelectorAll("*")]
  .map((e) => [e, getComputedStyle(e)])
  .filter(([, s]) => s.transitionDuration !== "0s" || s.animationName !== "none")
  .map(([e]) => e.outerHTML.slice(0, 80))"""
FOUND = f"""([least, text, word, contrast]) => ({{
  width: document.documentElement.scrollWidth,
  problems: [
    ["cut", ({CUT_TEXT})()],
    ["small target", ({SMALL_TARGETS})(least)],
    ["small text", ({SMALL_TEXT})([text, word])],
    ["faint state", ({FAINT_STATES})([contrast, ".state, .state *"])],
  ].flatMap(([name, all]) => all.map((one) => `${{name}}: ${{one}}`)),
}})"""
WATCH_FOCUS = """() => {
  const shown = (e) => (e.matches(".aside") && e.nextElementSibling) || e;
  const groups = new Set();
  const controls = [...document.querySelectorAll(
      "a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((e) => !e.disabled && e.checkVisibility({ visibilityProperty: true }))
    .filter((e) => {  // Tab goes to a group of radio buttons, arrows go on inside
      if (e.type !== "radio") return true;
      const group = `${e.form && e.form.id} ${e.name}`;
      return groups.has(group) ? false : groups.add(group);
    });
  const left = new Set(controls);
  window.focusUnseen = [];
  window.focusMissed = () => [...left].filter((e) => e.isConnected)
    .map((e) => e.outerHTML.slice(0, 90));
  const covered = (e) => {
    const box = shown(e).getBoundingClientRect();
    const places = [0.5, 0.1, 0.9].flatMap((x) => [0.5, 0.1, 0.9].map((y) => [x, y]));
    return !places.some(([x, y]) => {
      const top = document.elementFromPoint(box.x + x * box.width, box.y + y * box.height);
      return top && (e.contains(top) || shown(e).contains(top) || top.contains(e));
    });
  };
  document.addEventListener("focusin", ({ target }) => {
    if (!left.has(target)) {
      const group = (e) => e.type === "radio" && e.name === target.name && e.form === target.form;
      const first = target.type === "radio" && [...left].find(group);
      if (!first) return;
      left.delete(first);
    }
    left.delete(target);
    if (getComputedStyle(shown(target)).outlineStyle !== "solid")
      window.focusUnseen.push(`no outline: ${target.outerHTML.slice(0, 90)}`);
    requestAnimationFrame(() => {
      if (document.activeElement === target && covered(target))
        window.focusUnseen.push(`covered: ${target.outerHTML.slice(0, 90)}`);
    });
  });
  return controls.length;
}"""
TABS_AT_ONCE = 8


def look_at(found: Screen, path: str, language: str) -> None:
    """Load a page once and look at it in every size, light and dark."""
    mark = "&" if "?" in path else "?"
    found.open(f"{path}{mark}lang={language}")
    assert found.page.evaluate("document.documentElement.lang") == language
    on_kiosk = found.page.evaluate("document.body.classList.contains('kiosk')")
    wanted = [LEAST_KIOSK_PX if on_kiosk else LEAST_PX, LEAST_TEXT_PX, LEAST_WORD_PX]
    if on_kiosk:  # its session lasts a minute without a touch, however long all the looks take
        found.page.keyboard.press("Shift")
    found.page.evaluate(AXE_SCRIPT)
    shift = None
    for size, scheme, rules in _looks(language):
        if shift is None and (size, scheme) != LOOKS[0]:  # another size moves everything
            shift = found.page.evaluate("window.shift")
        wide = dress(found.page, size, scheme)
        seen = f"{path} on the {size}, {scheme}, {language}"
        look = found.page.evaluate(FOUND, [*wanted, LEAST_CONTRAST])
        assert look["width"] <= wide, f"{seen} is {look['width']} px wide"
        none(look["problems"], seen)
        none(list(_violations(found.page, rules)), seen)
    none(found.page.evaluate(MOVING), f"{path} moves although that is not wanted")
    assert shift is not None
    assert shift <= MOST_SHIFT, f"{path} jumps: {shift}"
    none(found.troubles(), path)


def none(problems: list[str], where: str) -> None:
    """Fail with what was found, if anything was."""
    assert not problems, f"{where}: {problems}"


def _looks(language: str) -> Iterator[tuple[str, Literal["light", "dark"], dict[str, Any]]]:
    """Yield each size and colour scheme that a page is looked at in, and what axe looks for there.

    Everything is looked for once; contrast, which differs with the colours and with what a size
    shows, in dark and on a phone too. In English what a translation may break: names and room.
    Our own measure of targets is wider than axe's (24 px). EVERY_LOOK=1 (``make looks``) has axe
    look for everything in every size, light and dark, in both languages.
    """
    whole = bool(os.environ.get("EVERY_LOOK"))
    for size, scheme in LOOKS:
        first, narrow = (size, scheme) == LOOKS[0], size != "wall"
        if whole or (first and language == "fr"):
            yield size, scheme, ALL_RULES
        elif language == "fr" and (narrow or scheme == "light"):
            again = (size, scheme) in {("kiosk", "dark"), ("phone", "light")}
            yield size, scheme, _only("color-contrast") if again else _only()
        elif scheme == "light" and narrow:
            yield size, scheme, _only(*BY_LANGUAGE) if first else _only()


def _only(*rules: str) -> dict[str, Any]:
    only = {"type": "rule", "values": list(rules)}
    return {"resultTypes": ["violations"], "preload": False, "runOnly": only}


def dress(page: Page, size: str, scheme: Literal["light", "dark"]) -> int:
    """Show a page in a size and in light or dark without loading it again; return its width."""
    wide, high = SCREENS[size].values()
    page.set_viewport_size({"width": wide, "height": high})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return wide


def walk(found: Screen, path: str) -> None:
    """Go through what is open with the Tab key: every control is reached, its focus is seen."""
    dress(found.page, *LOOKS[0])
    controls = found.page.evaluate(WATCH_FOCUS)
    pressed = 0
    while found.page.evaluate("window.focusMissed().length") and pressed < controls * 4 + 12:
        for _ in range(TABS_AT_ONCE):  # a field for a date takes several
            found.page.keyboard.press("Tab")
        pressed += TABS_AT_ONCE
    none(found.page.evaluate("window.focusMissed()"), f"{path}, not reached")
    none(found.page.evaluate("window.focusUnseen"), path)


def violations(page: Page, options: dict[str, Any]) -> list[str]:
    """Return what axe finds against the page: the rule, and where."""
    page.evaluate(AXE_SCRIPT)
    return list(_violations(page, options))


def _violations(page: Page, options: dict[str, Any]) -> Iterator[str]:
    if not options["runOnly"]["values"]:
        return
    found = page.evaluate(
        """async (options) => (await axe.run(document, options)).violations
          .map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 90))])""",
        options,
    )
    for rule, nodes in found:
        yield f"{rule}: {nodes}"
