"""Talking to the mail server of ``[mail]`` (SMTP, RFC 5321), and what its answers mean."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from fabctl.config import MailConfig
from fabctl.errors import FabError

TIMEOUT_S = 20.0
"""How long one answer of the server may take."""


class MailServerError(FabError):
    """The server cannot be talked to, or not by us; no mail is at fault.

    Its sentence never holds what the server said: that may name people.
    """


class MailLaterError(FabError):
    """The server does not take this mail now (4yz)."""


class MailNeverError(FabError):
    """The server will never take this mail (5yz)."""


@contextmanager
def connected(config: MailConfig, timeout_s: float = TIMEOUT_S) -> Iterator[smtplib.SMTP]:
    """Yield a server that knows us, over TLS where the configuration says so; never without.

    :raises MailServerError: it is down, too slow, not who it says, or does not let us in.
    """
    try:
        server = _opened(config, timeout_s)
    except (OSError, smtplib.SMTPException) as error:
        raise MailServerError(_why(error)) from error
    try:
        yield server
    finally:
        # the mails are noted one by one; how the farewell goes changes nothing
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _opened(config: MailConfig, timeout_s: float) -> smtplib.SMTP:
    place, context = (config.host, config.port), _context(config)
    if config.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*place, timeout=timeout_s, context=context)
    else:
        server = smtplib.SMTP(*place, timeout=timeout_s)
    try:
        if config.security == "starttls":
            server.starttls(context=context)
        if config.user is not None and config.password_file is not None:
            password = config.password_file.read_text(encoding="utf-8").strip()
            server.login(config.user, password)
    except (OSError, ValueError, smtplib.SMTPException):
        server.close()
        raise
    return server


def _context(config: MailConfig) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=config.ca_file and str(config.ca_file))


def hand_over(server: smtplib.SMTP, letter: EmailMessage, sender: str, to: str) -> None:
    """Hand one letter over; it is the server's once this returns.

    :raises MailNeverError: the server will never take it.
    :raises MailLaterError: it does not take it now.
    :raises MailServerError: the connection broke, or the server does not let us send.
    """
    try:
        server.send_message(letter, sender, [to])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refusal(code, said) from error
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailServerError(_why(error)) from error


def _refusal(code: int, said: bytes | str) -> FabError:
    kind = MailNeverError if code >= 500 else MailLaterError
    return kind(_code(code, said))


_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
"""RFC 3463: what went wrong, in figures."""


def _code(code: int, said: bytes | str) -> str:
    words = said.decode("ascii", "replace") if isinstance(said, bytes) else said
    more = _ENHANCED.search(words[:80])
    return f"{code} {more[0]}" if more else str(code)


def _why(error: Exception) -> str:
    """Return what happened without a word of the server's."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _code(error.smtp_code, error.smtp_error)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "timeout"  # smtplib wraps some of them
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
