"""Under which names pages are served, and whose word about a browser is believed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from fabctl.config import WebConfig
from tests.web_lab import WebLab, lab_config, web_lab

PROXY = "10.0.0.2"
WEB = WebConfig(
    public_url="https://machines.example:8443",
    names=("fablab.local",),
    proxy_addresses=(PROXY,),
    kiosk_addresses=("127.0.0.1",),
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path, config=lab_config(tmp_path, web=WEB)) as found:
        yield found


def get(lab: WebLab, host: str, path: str = "/", peer: str = PROXY, **headers: str) -> TestResponse:
    """Load a page under a name; ``x_forwarded_for="…"`` and the like are headers."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    environ = {"HTTP_HOST": host, "REMOTE_ADDR": peer}
    return lab.app.test_client().get(path, headers=said, environ_overrides=environ)


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8080", "127.0.0.1:8080", "192.168.1.20", "[::1]:8080", "[fe80::1]",
        "fablab.local:8080", "FABLAB.local.", "machines.example:8443", socket.gethostname(),
    ],
)  # fmt: skip
def test_our_names_and_every_number_are_served(lab: WebLab, host: str) -> None:
    assert get(lab, host).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/machines", "/health", "/in", "/static/icon.svg"])
@pytest.mark.parametrize("host", ["evil.example", "fablab.local.evil.example", "1.2.3.4.evil", ""])
def test_any_other_name_is_refused(lab: WebLab, host: str, path: str) -> None:
    answer = get(lab, host, path, accept_language="en")
    assert answer.status_code == 421
    assert answer.get_data(as_text=True) == (
        "This lab is not served under this name. "
        "Open https://machines.example:8443, or have the staff add the name to lab.toml.\n"
    )


def test_the_refusal_speaks_french_too(lab: WebLab) -> None:
    said = get(lab, "evil.example", accept_language="fr").get_data(as_text=True)
    assert said.startswith("Ce lab ne répond pas sous ce nom. Ouvre https://machines.example:8443")


def test_a_write_under_another_name_does_nothing(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "running", job="j")
    client = lab.app.test_client()
    answer = client.post("/m/printer-a/stop", environ_overrides={"HTTP_HOST": "evil.example"})
    assert answer.status_code == 421
    assert lab.workshop.asked == []


def test_the_proxy_says_under_which_name_it_was_asked(lab: WebLab) -> None:
    assert get(lab, "127.0.0.1", x_forwarded_host="machines.example").status_code == 200
    assert get(lab, "127.0.0.1", x_forwarded_host="evil.example").status_code == 421


def test_nobody_else_is_believed(lab: WebLab) -> None:
    peer = "203.0.113.9"
    assert get(lab, "evil.example", peer=peer, x_forwarded_host="localhost").status_code == 421
    page = get(lab, "localhost", "/in", peer=peer, x_forwarded_for="127.0.0.1")
    assert 'name="password"' in page.get_data(as_text=True)  # no PIN pad


def test_behind_the_proxy_a_page_over_tls_is_one(lab: WebLab) -> None:
    for peer, secure in ((PROXY, True), ("203.0.113.9", False)):
        answer = get(lab, "localhost", "/in", peer=peer, x_forwarded_proto="https")
        cookies = " ".join(answer.headers.getlist("Set-Cookie"))
        assert ("Secure" in cookies) is secure


def test_a_qr_code_leads_to_the_public_address(lab: WebLab) -> None:
    with lab.app.test_request_context("/", base_url="http://127.0.0.1:8080"):
        from fabctl_web.machines.qr import page_address  # noqa: PLC0415

        found = page_address(lab.app.extensions["fabctl"], "/m/printer-a")
    assert found == "https://machines.example:8443/m/printer-a"
