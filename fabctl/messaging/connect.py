"""Links of our own processes: where the broker is and with which password."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from fabctl.config import LabConfig
from fabctl.keyfile import read_words
from fabctl.messaging.link import BrokerAddress, Message, MqttLink

DESK = "desk"
NO_BROKER = "start the broker with `fabctl run`, or name yours under [broker]"
DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


def desk_link(
    config: LabConfig,
    client_id: str,
    *,
    will: Message | None = None,
    session_expiry_s: int = 0,
    log: Callable[[str], None],
) -> MqttLink:
    """Return a link, not started, with the rights of the web and the steward.

    :raises LocalError: the broker's address or the password is not known yet.
    """
    address = broker_address(config, DESK)
    return MqttLink(address, client_id, will=will, session_expiry_s=session_expiry_s, log=log)


def machine_link(
    config: LabConfig,
    host: str,
    client_id: str,
    *,
    will: Message | None = None,
    session_expiry_s: int = 0,
    log: Callable[[str], None],
) -> MqttLink:
    """Return a link, not started, with the rights of a host.

    :raises LocalError: the broker's address or the password is not known yet.
    """
    address = broker_address(config, host)
    return MqttLink(address, client_id, will=will, session_expiry_s=session_expiry_s, log=log)


def broker_address(config: LabConfig, user: str) -> BrokerAddress:
    """Return where one of our own users reaches the broker.

    With ``[broker] url`` its user and its password file count, whoever asks. Where it names no
    user but a password folder, everybody comes under their own name.

    :raises LocalError: the private broker was never started here, or a file cannot be read.
    """
    if config.broker.url is None:
        return _private(config, user)
    parts, file = urlsplit(config.broker.url), config.broker.password_file
    if config.broker.password_folder is not None:
        file = config.broker_password_file(user)
    return BrokerAddress(
        host=parts.hostname or "",
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        user=user if config.broker.password_folder else parts.username,
        password=read_words(file, NO_BROKER) if file else None,
        tls=parts.scheme == "mqtts",
        ca_file=config.broker.ca_file,
    )


def _private(config: LabConfig, user: str) -> BrokerAddress:
    port = read_words(config.paths.broker_port, NO_BROKER)
    password = read_words(config.broker_password_file(user), NO_BROKER)
    return BrokerAddress("127.0.0.1", int(port), user, password)
