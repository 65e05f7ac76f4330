"""Signing in at an OpenID Connect provider: who comes in, and every way to lie that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey
from werkzeug.test import TestResponse

from fabctl.clock import ManualClock
from fabctl.config import OidcConfig, WebConfig
from fabctl.errors import LocalError
from fabctl.model.people import Role
from fabctl.services import mail_queue
from fabctl_web.people import outside
from tests.oidc_provider import CLIENT, SECRET, Provider, oidc_provider
from tests.web_lab import Browser, WebLab, lab_config, web_lab

KIOSK = "127.0.0.1"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with oidc_provider(int(ManualClock().now().timestamp())) as found:
        found.person = {"preferred_username": "camille"}
        yield found


@pytest.fixture
def link() -> str:
    return "login"


@pytest.fixture
def lab(tmp_path: Path, provider: Provider, link: str) -> Iterator[WebLab]:
    secret = tmp_path / "oidc.secret"
    secret.write_text(f"{SECRET}\n")
    oidc = OidcConfig(provider.url, CLIENT, link, "Compte de la ville", secret)
    web = WebConfig(kiosk_addresses=(KIOSK,), oidc=oidc)
    with web_lab(tmp_path, config=lab_config(tmp_path, web=web)) as found:
        found.person("camille")
        yield found


def leave(browser: Browser, next_page: str = "/") -> str:
    answer = browser.get("/in/elsewhere", query_string={"next": next_page})
    assert answer.status_code == 303
    return answer.location or ""


def come_back(browser: Browser, code: str, state: str) -> TestResponse:
    return browser.get("/in/elsewhere/back", query_string={"code": code, "state": state})


def there_and_back(lab: WebLab, provider: Provider, next_page: str = "/") -> Browser:
    browser = lab.browser()
    come_back(browser, *provider.sign_in(leave(browser, next_page)))
    return browser


def is_in(browser: Browser) -> bool:
    return browser.get("/me").status_code == 200


def test_there_and_back_again(lab: WebLab, provider: Provider) -> None:
    browser = lab.browser()
    shown = browser.get("/in?next=/planning").get_data(as_text=True)
    assert "Sign in with Compte de la ville" in shown
    address = leave(browser, "/planning")
    asked = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{provider.url}/authorize?")
    assert asked["redirect_uri"] == ["http://localhost/in/elsewhere/back"]
    assert asked["response_type"] == ["code"]
    assert "openid" in asked["scope"][0]
    assert come_back(browser, *provider.sign_in(address)).location == "/planning"
    assert "Camille" in browser.get("/me").get_data(as_text=True)


def test_no_way_leads_elsewhere_afterwards(lab: WebLab, provider: Provider) -> None:
    browser = lab.browser()
    address = leave(browser, "//evil.example")
    assert come_back(browser, *provider.sign_in(address)).location == "/"


def test_the_state_is_this_browsers_and_counts_once(lab: WebLab, provider: Provider) -> None:
    mine, victim = lab.browser(), lab.browser()
    code, state = provider.sign_in(leave(mine))
    leave(victim)
    come_back(victim, code, state)
    assert not is_in(victim)
    come_back(lab.browser(), code, state)
    for wrong in ("", "x", "é"):
        other = lab.browser()
        code, _ = provider.sign_in(leave(other))
        come_back(other, code, wrong)
        assert not is_in(other)
    again = lab.browser()
    code, state = provider.sign_in(leave(again))
    come_back(again, "made-up", state)
    come_back(again, code, state)
    assert not is_in(again)


def signed_with(provider: Provider, key: OctKey | RSAKey, algorithm: str = "RS256") -> None:
    provider.signing, provider.algorithm = key, algorithm


LIES: dict[str, Callable[[Provider], None]] = {
    "another nonce": lambda p: p.lies.update(nonce="x"),
    "no nonce": lambda p: p.lies.update(nonce=None),
    "for another client": lambda p: p.lies.update(aud="another"),
    "from another issuer": lambda p: p.lies.update(iss="https://evil.example"),
    "by another party": lambda p: p.lies.update(azp="another"),
    "too old": lambda p: p.lies.update(exp=p.now - 120),
    "without an end": lambda p: p.lies.update(exp=None),
    "about nobody": lambda p: p.lies.update(sub=None),
    "another's key": lambda p: signed_with(p, RSAKey.generate_key(2048, {"kid": "one"})),
    "a secret as a key": lambda p: signed_with(p, OctKey.import_key(SECRET), "HS256"),
    "a public key as a secret": lambda p: signed_with(
        p, OctKey.import_key(p.key.thumbprint()), "HS256"
    ),
    "another provider": lambda p: p.about.update(issuer="https://evil.example"),
    "a plain address elsewhere": lambda p: p.about.update(token_endpoint="http://evil.example/t"),
    "no token endpoint": lambda p: p.about.update(token_endpoint=None),
    "nobody known": lambda p: p.person.update(preferred_username="somebody"),
    "no name": lambda p: p.person.clear(),
    "no text for a name": lambda p: p.person.update(preferred_username=["camille"]),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_cannot_be_believed_signs_nobody_in(lab: WebLab, provider: Provider, lie: str) -> None:
    browser = lab.browser()
    LIES[lie](provider)
    answer = browser.get("/in/elsewhere")
    if answer.location != "/in":  # it is seen later than at the first look at the provider
        answer = come_back(browser, *provider.sign_in(answer.location or ""))
    assert answer.location == "/in"
    assert not is_in(browser)
    shown = browser.get("/in").get_data(as_text=True)
    assert 'class="notice bad"' in shown
    assert provider.url not in shown


def test_a_session_from_before_is_another_one_afterwards(lab: WebLab, provider: Provider) -> None:
    browser = lab.browser()
    address = leave(browser)
    planted = browser.client.get_cookie("fabctl")
    come_back(browser, *provider.sign_in(address))
    thief = lab.browser()
    assert planted
    thief.client.set_cookie("fabctl", planted.value)
    assert is_in(browser)
    assert not is_in(thief)


def test_a_shared_screen_offers_none_of_it(lab: WebLab) -> None:
    kiosk = lab.browser(KIOSK)
    assert "Compte de la ville" not in kiosk.get("/in?with=password").get_data(as_text=True)
    assert kiosk.get("/in/elsewhere").status_code == 404
    assert kiosk.get("/in/elsewhere/back?code=x&state=x").status_code == 404


def test_a_lab_without_a_provider_has_none_of_it(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        assert "/in/elsewhere" not in lab.browser().get("/in").get_data(as_text=True)
        assert lab.browser().get("/in/elsewhere").status_code == 404
        assert lab.browser().get("/in/elsewhere/back").status_code == 404


@pytest.mark.parametrize("link", ["mail"])
def test_by_a_verified_address_that_the_staff_confirmed(lab: WebLab, provider: Provider) -> None:
    address = "camille@example.org"

    def has(login: str) -> None:
        person = lab.id_of(login)
        with lab.db.transaction() as db:
            mail_queue.set_wish(
                db, lab.clock, person_id=person, address=address, wanted=True, by=person
            )

    has("camille")
    lab.person("awa", role=Role.STAFF)
    staff, page = lab.browser(), f"/staff/people/{lab.id_of('camille')}"
    staff.sign_in("awa")
    assert "signs nobody in at Compte de la ville" in staff.get(page).get_data(as_text=True)
    provider.person = {"email": address, "email_verified": True}
    assert not is_in(there_and_back(lab, provider))
    staff.post(f"{page}/mail/confirm", {"address": address}, page=page)
    assert "is confirmed for Compte de la ville" in staff.get(page).get_data(as_text=True)
    provider.person = {"email": "Camille@example.org", "preferred_username": "camille"}
    assert not is_in(there_and_back(lab, provider))
    provider.person["email_verified"] = True
    assert is_in(there_and_back(lab, provider))
    provider.person["email"] = "nobody@example.org"
    assert not is_in(there_and_back(lab, provider))
    lab.person("sam")
    has("sam")
    provider.person["email"] = address
    assert is_in(there_and_back(lab, provider))  # who typed it later is in nobody's way


def test_a_provider_that_is_away_is_said(lab: WebLab, provider: Provider) -> None:
    provider.about["issuer"] = "https://another.example"
    browser = lab.browser()
    answer = browser.get("/in/elsewhere")
    assert answer.location == "/in"
    assert "did not work" in browser.get("/in").get_data(as_text=True)


def test_a_provider_in_lab_toml_without_what_it_takes_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = OidcConfig("https://login.example.org", CLIENT, "login")
    outside.require_parts(config)
    monkeypatch.setattr(outside, "NEEDED", ("a_part_that_nobody_has",))
    outside.require_parts(None)
    with pytest.raises(LocalError, match="a_part_that_nobody_has"):
        outside.require_parts(config)


def later(lab: WebLab, seconds: float) -> None:
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(seconds)


def asked(provider: Provider) -> list[str]:
    found = [path for path in provider.requests if path != "/token"]
    provider.requests.clear()
    return found


def test_the_provider_is_asked_once_in_ten_minutes(lab: WebLab, provider: Provider) -> None:
    for _ in range(5):
        leave(lab.browser())
    assert is_in(there_and_back(lab, provider))
    assert is_in(there_and_back(lab, provider))
    assert asked(provider) == ["/.well-known/openid-configuration", "/keys"]
    later(lab, 601)
    leave(lab.browser())
    assert asked(provider) == ["/.well-known/openid-configuration"]


def test_a_new_key_of_the_provider_is_asked_for_but_not_for_every_forgery(
    lab: WebLab, provider: Provider
) -> None:
    assert is_in(there_and_back(lab, provider))
    provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    asked(provider)
    assert not is_in(there_and_back(lab, provider))
    assert asked(provider) == []
    later(lab, 16)
    assert is_in(there_and_back(lab, provider))
    assert asked(provider) == ["/keys"]


def test_a_provider_that_fails_is_left_alone_for_a_while(lab: WebLab, provider: Provider) -> None:
    provider.broken = True
    for _ in range(3):
        assert lab.browser().get("/in/elsewhere").location == "/in"
    assert asked(provider) == ["/.well-known/openid-configuration"]
    provider.broken = False
    later(lab, 16)
    assert is_in(there_and_back(lab, provider))


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_nothing_that_the_provider_is_asked_leads_elsewhere(
    lab: WebLab, provider: Provider, path: str
) -> None:
    provider.moved[path] = "/elsewhere"
    browser = lab.browser()
    answer = browser.get("/in/elsewhere")
    if answer.location != "/in":
        come_back(browser, *provider.sign_in(answer.location or ""))
    assert not is_in(browser)
    assert "/elsewhere" not in provider.requests
