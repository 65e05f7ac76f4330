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
from fabctl.messaging.link import MqttLink
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
    shown = f"{address.host}:{address.port}"
    certificate = (
        [certificate_of(address.host, address.port, address.ca_file)] if address.tls else []
    )
    said: list[str] = []
    link = MqttLink(address, client_id, log=said.append)
    view.attach(link)
    link.start()
    try:
        if not link.wait_connected(CONNECT_WITHIN_S):
            return _not_connected(shown, said), certificate
        end = time.monotonic() + patience_s
        while not enough() and time.monotonic() < end:
            time.sleep(LOOK_EVERY_S)
    finally:
        link.stop()
    return BrokerFacts(shown, connected=True), certificate


def _not_connected(shown: str, said: list[str]) -> BrokerFacts:
    why = next((line for line in said if "refused" in line), said[-1] if said else shown)
    refused = why.startswith("the broker refused")
    return BrokerFacts(shown, connected=False, refused=refused, why=why[:300])


def certificate_of(host: str, port: int, ca_file: Path | None) -> CertificateFacts:
    """Look at the certificate of a server that speaks TLS."""
    server = f"{host}:{port}"
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        with (
            socket.create_connection((host, port), timeout=CERTIFICATE_WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            ends = str((secured.getpeercert() or {}).get("notAfter", ""))
    except ssl.SSLCertVerificationError as error:
        return CertificateFacts(server, None, why=error.verify_message)
    except OSError:
        return CertificateFacts(server, None)  # whether it answers is another check's
    return CertificateFacts(server, datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC))
