"""``fabctl steward``: puts the steward's parts together and runs them."""

from __future__ import annotations

import os
import secrets
import signal

from fabctl.believed_clock import BelievedClock
from fabctl.clock import Clock, SystemClock
from fabctl.config import LabConfig
from fabctl.hosting.acknowledger import Acknowledger
from fabctl.hosting.locks import FolderLock
from fabctl.hosting.logs import identify, log
from fabctl.hosting.machine_reports import Stamps
from fabctl.hosting.mail_office import MailOffice
from fabctl.hosting.permit_office import RENEW_EVERY, PermitOffice
from fabctl.hosting.steward import Steward
from fabctl.keyfile import KeyFile
from fabctl.messaging.connect import desk_link
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Message
from fabctl.messaging.payloads import PresencePayload
from fabctl.messaging.requests import MachineRequests, keys_in
from fabctl.messaging.topics import LabTopics, client_id
from fabctl.permits import USUAL_S
from fabctl.sd_notify import Notifier
from fabctl.services.doctor_lab import newest_moment
from fabctl.services.machines import sync_resources
from fabctl.services.mail_letters import Sender
from fabctl.store.engine import Database, open_database
from fabctl.store.migrate import require_current
from fabctl.units import Seconds

SESSION_S = 7 * 24 * 3600
"""So long the broker keeps events for a steward that is away."""
PREDECESSOR_ENDS_WITHIN_S = 15.0
ACKNOWLEDGED_WITHIN_S = 2.0
MAIL_ENDS_WITHIN_S = 2.0
"""A mail under way then is sent again by the next steward, unless the server had taken it."""


def run_steward(
    config: LabConfig, *, permit_s: Seconds = USUAL_S, renew_every: Seconds = RENEW_EVERY
) -> int:
    """Work until SIGTERM or SIGINT; return the exit code.

    :param permit_s: how long an interlock's permit holds; the daemon takes at most 10 s.
    :param renew_every: how often it is renewed, in s; well under ``permit_s``.
    :raises LocalError: another steward works here, the database is not migrated, or the broker's
        address is not known.
    """
    identify("steward")
    lock = FolderLock(config.data_directory / "steward.lock")
    lock.take("the steward's place in this data directory", PREDECESSOR_ENDS_WITHIN_S)
    topics = LabTopics(config.id)
    database = open_database(config.database_url, zone=config.time_zone)
    require_current(database)
    clock = BelievedClock(SystemClock(), log, not_before=newest_moment(database))
    stamps = Stamps(clock, secrets.token_hex(8))
    with database.transaction() as session:
        sync_resources(session, clock, config.machines.values())
    gone = PresencePayload(online=False).encode(stamps.next())
    link = desk_link(
        config,
        client_id("steward", config.id),
        will=Message(topics.steward_status, gone),
        session_expiry_s=SESSION_S,
        log=log,
    )
    acknowledger = Acknowledger(MachineRequests(link, config.id, keys_in(config.paths)), log)
    files = config.paths.files
    view = LabView(config.id, {m.id: m.host for m in config.machines.values()}, clock)
    keys = {name: KeyFile(config.paths.permit_key(name)).key for name in config.interlocks}
    permits = (
        PermitOffice(
            topics, database, link, clock, log, view, keys,
            zone=config.time_zone, permit_s=permit_s, renew_every=renew_every,
        )
        if keys
        else None
    )  # fmt: skip
    notifier = Notifier(os.environ)
    steward = Steward(
        topics,
        database,
        link,
        acknowledger,
        stamps,
        clock,
        log,
        files,
        view,
        permits,
        config.time_zone,
        notifier.turned,
    )
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: steward.end())
    mail = _mail_office(config, database, clock)
    link.on_connected(steward.connected)
    link.start()
    acknowledger.begin()
    if mail is not None:
        mail.begin()
    notifier.ready("recording")
    try:
        steward.run()
    finally:
        notifier.stopping()
        if mail is not None:
            mail.end(MAIL_ENDS_WITHIN_S)
        acknowledger.end(ACKNOWLEDGED_WITHIN_S)
        steward.goodbye()
        link.stop()
        database.close()
    return 0


def _mail_office(config: LabConfig, database: Database, clock: Clock) -> MailOffice | None:
    """Return what sends mail; None: lab.toml names no server."""
    if config.mail is None:
        return None
    sender = Sender(
        config.mail.sender, config.name, config.language, config.time_zone, config.web.public_url
    )
    return MailOffice(config.mail, sender, database, clock, log)
