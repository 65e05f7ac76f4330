"""A real SMTP server on loopback (aiosmtpd), and ones that do what servers should not."""

from __future__ import annotations

import email
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.ports import free_port

TAKEN = "250 2.0.0 taken"


@dataclass
class Post:
    """What a server was sent; ``says`` answers each mail, by its recipient."""

    says: Callable[[str], str] = lambda _to: TAKEN
    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def to(self) -> list[str]:
        """Return whom the mails that were taken were for."""
        return [recipient for _, recipient in self.envelopes]

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Take a mail, or not."""
        answer = self.says(envelope.rcpt_tos[0])
        if answer.startswith("2"):
            made = email.message_from_bytes(envelope.content, policy=default)
            self.letters.append(made)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos[0]))
        return answer


class Picky(Post):
    """Refuses recipients already at RCPT."""

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        answer = self.says(address)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer


@contextmanager
def serving(post: Post, **how: Any) -> Iterator[int]:
    """Run a server; yield its port."""
    server = Controller(post, hostname="127.0.0.1", port=free_port(), **how)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def only(user: str, password: str) -> Callable[..., AuthResult]:
    """Return what lets one user in."""

    def check(_server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> AuthResult:
        wanted = LoginPassword(user.encode(), password.encode())
        return AuthResult(success=given == wanted, handled=False)

    return check


@contextmanager
def speaking(conversation: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that has one conversation with everybody who comes; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_all, args=(listener, conversation), daemon=True)
        thread.start()
        try:
            yield cast("int", listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _answer_all(listener: socket.socket, conversation: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            line, _ = listener.accept()
        except OSError:
            return  # the test is over
        with line:
            conversation(line)


def dies_after_the_mail(line: socket.socket) -> None:
    """Take a mail whole, and be gone before saying so."""
    line.sendall(b"220 here\r\n")
    with line.makefile("rb") as heard:
        for said in heard:
            if said.upper().startswith(b"DATA"):
                line.sendall(b"354 go on\r\n")
                while next(heard, b".\r\n") != b".\r\n":
                    pass
                return
            line.sendall(b"250 fine\r\n")


def says_nothing(line: socket.socket) -> None:
    """Let people in, and never say a word; until they leave."""
    while line.recv(100):
        pass
