"""``[mail]`` of lab.toml: what it takes, and what it says of each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabctl.config import MailConfig
from fabctl.config_file import ConfigError, read, summary

LAB = '[lab]\nid = "lab"\nname = "Lab"\n'
SMTP = '[mail]\nhost = "smtp.example.org"\nfrom = "lab@example.org"\n'


def mail_of(raw: str, folder: Path = Path("/srv/lab")) -> MailConfig | None:
    return read(LAB + raw, folder / "lab.toml", ()).mail


def wrong(raw: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        mail_of(raw)
    return {one.key: one.allowed for one in caught.value.problems}


def test_without_the_table_no_mail_is_sent() -> None:
    assert mail_of("") is None


def test_the_usual_is_starttls_on_its_port() -> None:
    assert mail_of(SMTP) == MailConfig("smtp.example.org", 587, "starttls", "lab@example.org")


def test_everything_said(tmp_path: Path) -> None:
    (tmp_path / "mail.password").write_text("secret\n")
    more = 'security = "tls"\nuser = "lab"\npassword_file = "mail.password"\nca_file = "/dev/null"'
    with pytest.raises(ConfigError, match="ca_file"):  # a device is no file
        mail_of(SMTP + more, tmp_path)
    found = mail_of(SMTP + more.replace("/dev/null", "mail.password"), tmp_path)
    assert found is not None
    assert (found.port, found.user) == (465, "lab")
    assert found.password_file == found.ca_file == tmp_path / "mail.password"


def test_check_config_shows_where_mail_goes_and_no_secret() -> None:
    shown = summary(read(LAB + SMTP, Path("/srv/lab/lab.toml"), ()))
    assert "mail      through smtp.example.org:587 (starttls), from lab@example.org" in shown


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("[mail]\n", "mail.host"),
        ("[mail]\nhost = 'a'\n", "mail.from"),
        (SMTP.replace("lab@example.org", "Lab <lab@example.org>"), "mail.from"),
        (SMTP.replace("smtp.example.org", "smtp://example.org"), "mail.host"),
        (SMTP + "port = 0\n", "mail.port"),
        (SMTP + "security = 'ssl'\n", "mail.security"),
        (SMTP + "security = 'none'\n", "mail.security"),
        (SMTP + "user = 'lab'\n", "mail.user"),
        (SMTP + "password_file = 'no.such'\n", "mail.password_file"),
        (SMTP + "password = 'secret'\n", "mail.password"),
    ],
)
def test_mistakes(raw: str, key: str) -> None:
    assert key in wrong(raw)


def test_without_tls_only_on_this_computer() -> None:
    found = mail_of(SMTP.replace("smtp.example.org", "127.0.0.1") + "security = 'none'\n")
    assert found is not None
    assert (found.port, found.security) == (25, "none")
