"""People who come to one web process and go on at the other."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.three_hosts import FRONT, PATIENCE_S, WEBS
from tests.three_hosts_files import LAB, MILL, OWN, PI_B
from tests.three_hosts_lab import OWNERS, PASSWORD, ZONE, WholeLab
from tests.web_lab import form_token

HERE, THERE = WEBS[LAB], WEBS[PI_B]


@dataclass
class Visitor:
    """A browser that shows its cookies to whichever process answers, as behind one name."""

    lab: WholeLab
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, url: str) -> requests.Response:
        """Load a page; a redirect is not followed."""
        return self._ask("GET", url)

    def post(self, url: str, path: str, page: str, **fields: str) -> requests.Response:
        """Send a form to ``url``, filled in on a page that came from elsewhere perhaps."""
        token = form_token(self.get(page).text)
        headers = {"Referer": f"{url}/"}
        fields["csrf_token"] = token
        return self._ask("POST", f"{url}{path}", data=fields, headers=headers)

    def is_signed_in(self, url: str) -> bool:
        """Say whether a process knows this browser's person."""
        return self.get(f"{url}/me").status_code == 200

    def tries(self, login: str, password: str, *, at: str) -> None:
        """Try to sign in at one process with a form of the other."""
        other = THERE if at == HERE else HERE
        page = f"{other}/in?with=password"
        answer = self.post(at, "/in/password", page, login=login, password=password)
        assert answer.status_code < 400, answer.text

    def _ask(self, method: str, url: str, **more: Any) -> requests.Response:
        answer = self.lab.hosts.ask(
            method, url, cookies=self.cookies, allow_redirects=False, **more
        )
        self.cookies.update(answer.cookies.get_dict())
        return answer


def signs_in_here_and_goes_on_there(lab: WholeLab) -> None:
    """One session: opened here, known there, closed there, over here."""
    visitor = Visitor(lab)
    visitor.tries("lea", PASSWORD, at=HERE)
    assert visitor.is_signed_in(HERE)
    assert visitor.is_signed_in(THERE)
    assert visitor.is_signed_in(FRONT)
    before = dict(visitor.cookies)
    visitor.post(THERE, "/out", f"{HERE}/me")
    visitor.cookies = before  # what a thief had copied
    assert not visitor.is_signed_in(HERE)
    assert not visitor.is_signed_in(THERE)


def wrong_passwords_count_together(lab: WholeLab) -> None:
    """Five wrong ones in all lock the login at both; they count for the visitor's own address."""
    visitor = Visitor(lab)
    for at in (HERE, THERE, HERE, THERE, FRONT):
        visitor.tries("karim", "guess", at=at)
    found = lab.hosts.rows("SELECT kind, in_a_row FROM wrong_try ORDER BY kind")
    assert found == [("password", 5), ("password-address", 5)]
    addresses = lab.hosts.rows("SELECT subject FROM wrong_try WHERE kind = 'password-address'")
    assert addresses == [(OWN,)]
    for at in (HERE, THERE):
        visitor.tries("karim", PASSWORD, at=at)
        assert not visitor.is_signed_in(at)


@contextmanager
def a_booking_made_there_is_seen_here(lab: WholeLab) -> Iterator[None]:
    """At once by whoever asks; by a page that is open, whoever had made it, by the block's end."""
    page = lab.hosts.ask("GET", f"{THERE}/")
    found = re.search(r'sse-connect="/events\?since=([\w-]+)"', page.text)
    assert found, "the board has no stream"
    with faces(lab, f"{HERE}/events?since={found[1]}") as come:
        assert {next(come)[0] for _ in lab.hosts.computers[LAB].config.machines} == {
            f"face-{machine}" for machine in lab.hosts.computers[LAB].config.machines
        }
        now = datetime.now(UTC).replace(microsecond=0)
        end = now + timedelta(hours=2)
        asked = {"resource": MILL, "start": now.isoformat(), "end": end.isoformat()}
        made = lab.api("POST", "/reservations", at=THERE, who=OWNERS[MILL], json=asked)
        assert made.status_code == 201, made.text
        seen = lab.api("GET", "/reservations", at=HERE, who=OWNERS[MILL]).json()["reservations"]
        assert [one["id"] for one in seen] == [made.json()["id"]]
        word = f"{end.astimezone(ZONE):%H:%M}"
        yield
        last = ""
        for name, data in come:
            last = data if name == f"face-{MILL}" else last
            if word in last:
                return
        pytest.fail(f"{word} is not shown; last: {last}")


@contextmanager
def faces(lab: WholeLab, url: str) -> Iterator[Iterator[tuple[str, str]]]:
    """Yield a page's stream: the name and the data of each event that is no beat.

    The stream's beats let it end when nothing comes for long.
    """
    end = time.monotonic() + 2 * PATIENCE_S
    answer = lab.hosts.ask("GET", url, stream=True, headers={"Accept-Language": "en"})
    assert answer.status_code == 200

    def come() -> Iterator[tuple[str, str]]:
        name = ""
        data: list[str] = []
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if time.monotonic() > end:
                return
            key, _, value = line.partition(": ")
            if key == "event":
                name, data = value, []
            elif key == "data":
                data.append(value)
            elif not line and name.startswith("face-"):
                yield name, "\n".join(data)
                name = ""

    try:
        yield come()
    finally:
        answer.close()
