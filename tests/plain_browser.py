"""A browser without scripts: it follows links that are there, and sends forms that are there.

What it may not do, a person without scripts cannot do: open an address that no link names, send a
field that no form has, choose what no list offers, leave a required field empty, or use what a
page hides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from tests.web_lab import WebLab

Typed = str | bool | Sequence[str]
_ALONE = frozenset({"input", "br", "link", "meta", "img", "hr", "use", "path"})
_FIELDS = frozenset({"input", "select", "textarea"})
_MOST_STEPS = 5


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    above: Element | None = None
    inside: list[Element | str] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator[Element]:
        """Yield what is inside, in the page's order."""
        for one in self.inside:
            if isinstance(one, Element):
                if one.tag in tags:
                    yield one
                yield from one.all(*tags)

    @property
    def text(self) -> str:
        """Its words."""
        parts = (one if isinstance(one, str) else one.text for one in self.inside)
        return " ".join("".join(parts).split())

    @property
    def shown(self) -> bool:
        """Whether no ``hidden`` keeps it from people."""
        return "hidden" not in self.attributes and (self.above is None or self.above.shown)

    def around(self, tag: str) -> Element | None:
        """Return the nearest element of a kind that it is in."""
        return self.above if self.above is None or self.above.tag == tag else self.above.around(tag)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.at = Element("page", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.inside.append(found)
        if tag not in _ALONE:
            self.at = found

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.at.inside.append(Element(tag, {name: value or "" for name, value in attrs}, self.at))

    def handle_endtag(self, tag: str) -> None:
        if tag in _ALONE:
            return
        assert self.at.tag == tag, f"</{tag}> ends <{self.at.tag}>"
        assert self.at.above is not None
        self.at = self.at.above

    def handle_data(self, data: str) -> None:
        self.at.inside.append(data)


def read(html: str) -> Element:
    """Return a page as elements. Fails where one is not ended where it must be."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.at.tag == "page", f"<{reader.at.tag}> has no end"
    return reader.at


class PlainBrowser:
    """A person at a desk without scripts."""

    def __init__(self, lab: WebLab, login: str = "") -> None:
        self._client = lab.browser().client
        self.path = "/"
        self.html = ""
        self.page = Element("page", {})
        self.open("/")
        if login:
            self.follow("/in")
            self.send("/in/password", login=login, password=f"{login}-password")

    @property
    def text(self) -> str:
        """The page's words."""
        return self.page.text

    def open(self, path: str) -> None:
        """Type an address: the lab's own, or one from a letter."""
        self._take("GET", path, None)

    def follow(self, wanted: str) -> None:
        """Follow the first link to an address (a pattern) that the page shows."""
        links = [
            one["href"]
            for one in self.page.all("a")
            if one.shown and re.fullmatch(rf"{wanted}(\?.*)?", one["href"])
        ]
        assert links, f"{self.path} has no link to {wanted}"
        self.open(links[0])

    def send(
        self,
        wanted: str,
        fields: Mapping[str, Typed] | None = None,
        *,
        button: str = "",
        holding: Mapping[str, str] | None = None,
        nth: int = 0,
        **more: Typed,
    ) -> None:
        """Fill in a form and send it with its button.

        ``wanted`` is a pattern of its address; ``button`` a word or a name on the button;
        ``holding`` what its hidden fields say; ``nth`` which of those that fit. What is typed
        stands in ``fields`` or is named.
        """
        typed = {**(fields or {}), **more}
        fitting = [
            (form, pressed)
            for form in self.page.all("form")
            if form.shown and re.fullmatch(wanted, urljoin(self.path, form["action"]))
            if typed.keys() <= {one["name"] for one in form.all(*_FIELDS)}
            if not (holding or {}).items() - _hidden(form).items()
            if (pressed := _button(form, button)) is not None
        ]
        assert len(fitting) > nth, f"{self.path} has no form {wanted} {button} {holding or typed}"
        form, pressed = fitting[nth]
        sent = list(_filled(form, typed))
        if pressed["name"]:
            sent.append((pressed["name"], pressed["value"]))
        method = (form["method"] or "get").upper()
        self._take(method, urljoin(self.path, form["action"] or self.path), sent)

    def _take(self, method: str, path: str, fields: list[tuple[str, str]] | None) -> None:
        headers = {"Referer": f"http://localhost{self.path}"}
        if method == "GET":
            path = path.split("?", maxsplit=1)[0] + "?" + urlencode(fields) if fields else path
            answer = self._client.get(path.split("#")[0], headers=headers)
        else:
            body = urlencode(fields or [])
            kind = "application/x-www-form-urlencoded"
            answer = self._client.post(path, data=body, content_type=kind, headers=headers)
        for _ in range(_MOST_STEPS):
            if answer.status_code not in {302, 303}:
                break
            path = answer.headers["Location"]
            answer = self._client.get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.status_code, read(answer.text).text)
        self.path = path
        self.html = answer.text
        self.page = read(self.html)


def _hidden(form: Element) -> dict[str, str]:
    return {one["name"]: one["value"] for one in form.all("input") if one["type"] == "hidden"}


def _button(form: Element, wanted: str) -> Element | None:
    for one in form.all("button"):
        usable = one["type"] in {"", "submit"} and one.shown and "disabled" not in one.attributes
        if usable and (not wanted or wanted in (one.text, one["aria-label"], one["value"])):
            return one
    return None


def _filled(form: Element, typed: Mapping[str, Typed]) -> Iterator[tuple[str, str]]:
    """Yield what a form sends once ``typed`` is typed into it.

    For fields of the same name: one after the other, or the values that are to be ticked.
    """
    left = {name: list(value) for name, value in typed.items() if isinstance(value, list | tuple)}
    hidden = typed.keys() & _hidden(form).keys()
    assert not hidden, f"nobody can type {hidden}"
    for one in form.all(*_FIELDS):
        name = one["name"]
        if one["type"] in {"checkbox", "radio"}:
            if _ticked(one, typed.get(name)):
                yield name, one["value"] or "on"
            continue
        value = _value(one)
        if name in typed and one["type"] != "hidden":
            said = left[name].pop(0) if left.get(name) else typed[name]
            value = said if isinstance(said, str) else value
            _may_be_typed(one, value)
        assert value or "required" not in one.attributes, f"{name} is required"
        yield name, value


def _ticked(box: Element, typed: Typed | None) -> bool:
    if typed is None:
        return "checked" in box.attributes
    return typed if isinstance(typed, bool) else box["value"] in typed


def _value(one: Element) -> str:
    if one.tag == "select":
        options = list(one.all("option"))
        chosen = [option for option in options if "selected" in option.attributes]
        return (chosen or options)[0]["value"] if options else ""
    return "".join(map(str, one.inside)) if one.tag == "textarea" else one["value"]


def _may_be_typed(one: Element, value: str) -> None:
    if one.tag == "select":
        offered = [option["value"] for option in one.all("option")]
        assert value in offered, f"{one['name']} offers {offered}"
    assert len(value) <= int(one["maxlength"] or 10_000), f"{one['name']} is too long"
