"""Calling the broker once, to see whether it answers, and looking at a server's certificate."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fabctl.config import LabConfig
from fabctl.errors import FabError
from fabctl.messaging.connect import DESK, broker_address
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import REFUSED, MqttLink
from fabctl.model.doctor_lab import BrokerFacts, CertificateFacts

CONNECT_WITHIN_S = 6.0
CERTIFICATE_WITHIN_S = 5.0
LOOK_EVERY_S = 0.2


def listen(
    config: LabConfig, view: LabView, client_id: str, enough: Callable[[], bool], patience_s: float
) -> tuple[BrokerFacts, list[CertificateFacts]]:
    """Follow a lab for a moment, into ``view``; return how that went.

    :param enough: whether everything was heard: no need to wait on.
    :param patience_s: how long at most.
    """
    try:
        address = broker_address(config, DESK)
    except FabError as error:
        return BrokerFacts("", connected=False, why=error.what), []
    certificates = [certificate_of(*one) for one in broker_with_tls(config)]
    link = MqttLink(address, client_id, log=lambda _line: None)  # its trouble is told below
    view.attach(link)
    link.start()
    try:
        if not link.wait_connected(CONNECT_WITHIN_S):
            return broker_facts(link), certificates
        end = time.monotonic() + patience_s
        while not enough() and time.monotonic() < end:
            time.sleep(LOOK_EVERY_S)
    finally:
        link.stop()
    return BrokerFacts(link.place, connected=True), certificates


def broker_facts(link: MqttLink | None) -> BrokerFacts:
    """Return whether a link has its broker now, and why not."""
    if link is None:
        return BrokerFacts("", connected=None)
    if link.connected:
        return BrokerFacts(link.place, connected=True)
    why = (link.trouble or link.place)[:300]
    refused = why.startswith(REFUSED)
    return BrokerFacts(link.place, connected=False, refused=refused, why=why)


def broker_with_tls(config: LabConfig) -> list[tuple[str, int, Path | None]]:
    """Return the lab's broker as host, port and who vouches for it; nothing without TLS."""
    try:
        address = broker_address(config, DESK)
    except FabError:
        return []  # that it cannot be called is another finding
    return [(address.host, address.port, address.ca_file)] if address.tls else []


def certificate_of(host: str, port: int, ca_file: Path | None) -> CertificateFacts:
    """Look at the certificate of a server that speaks TLS."""
    server = f"{host}:{port}"
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        with (
            socket.create_connection((host, port), timeout=CERTIFICATE_WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert() or {}
            begins, ends = (
                datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown.get(name, ""))), UTC)
                for name in ("notBefore", "notAfter")
            )
    except ssl.SSLCertVerificationError as error:
        return CertificateFacts(server, None, why=error.verify_message)
    except (OSError, ValueError):  # a name may be none: it cannot even be asked for
        return CertificateFacts(server, None)  # whether it answers is another check's
    return CertificateFacts(server, ends, lasts=ends - begins)
