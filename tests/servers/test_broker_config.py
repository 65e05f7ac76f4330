"""``fabctl broker-config`` on a real mosquitto over TLS: each credential tries each topic."""

from __future__ import annotations

import os
import pwd
import socket
import ssl
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from fabctl.commands.broker_config import broker_config
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.hosting.mosquitto import find_program
from fabctl.messaging.connect import broker_address
from fabctl.messaging.link import BrokerAddress, MqttLink, Received
from tests.brokers import need_mosquitto, wait_until
from tests.ports import free_port
from tests.servers.test_broker_rights import MACHINES, ROOT, TABLE, USERS

MAKE_CERTIFICATES = Path(__file__).parents[2] / "deploy" / "make-certificates.sh"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the lab's authority and a certificate for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run([MAKE_CERTIFICATES, folder, "localhost", "127.0.0.1"], check=True, timeout=30)
    return folder


@dataclass
class Site:
    """A lab beside its own broker."""

    config: LabConfig
    out: Path
    port: int
    said: list[str] = field(default_factory=list)

    def link(self, user: str, client_id: str, *, start: bool = True) -> MqttLink:
        link = MqttLink(broker_address(self.config, user), client_id, log=self.said.append)
        if start:
            link.start()
            assert link.wait_connected(10.0), self.said
        return link


def make_site(folder: Path, certificates: Path, *more: str) -> Site:
    """Write a lab.toml and the broker's files."""
    port = free_port()
    (folder / "data" / "broker").mkdir(parents=True, exist_ok=True)
    file = folder / "lab.toml"
    file.write_text(
        f'[lab]\nid = "lab"\nname = "Lab"\nsimulated = true\n[broker]\n'
        f'url = "mqtts://localhost:{port}"\npassword_folder = "data/broker"\n'
        f'ca_file = "{certificates / "lab-ca.pem"}"\n[hosts.pi1]\n[hosts.pi2]\n{MACHINES}'
    )
    out = folder / "mosquitto"
    words = ["--config", str(file), "--out", str(out), "--loopback-port", "0"]
    words += ["--listen", "127.0.0.1", "--port", str(port)]
    words += ["--cert", str(certificates / "localhost.pem")]
    words += ["--key", str(certificates / "localhost.key"), *more]
    done = CliRunner().invoke(broker_config, words)
    assert done.exit_code == 0, done.output
    return Site(load(file), out, port)


@contextmanager
def running(site: Site) -> Iterator[Site]:
    """Run mosquitto as Debian does: a main file that includes a folder."""
    need_mosquitto()
    main = site.out.parent / "mosquitto.conf"
    user = pwd.getpwuid(os.geteuid()).pw_name
    main.write_text(f"user {user}\npersistence false\ninclude_dir {site.out}\n")
    log = site.out.parent / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [find_program("mosquitto"), "-c", str(main)], stdout=file, stderr=file
        )
    try:
        wait_until(lambda: answers(site.port), f"mosquitto listens: {log.read_text()}")
        yield site
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("way", "asked"),
    [((), ("#",)), (("--dynamic-security",), tuple(TABLE))],
    ids=["files", "dynamic-security"],
)
def test_each_credential_tries_each_topic(
    tmp_path: Path, certificates: Path, way: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    """With access lists everything may be asked for, and what is allowed is sent; with dynamic
    security the asking for everything is refused, so each topic is asked for by itself."""
    heard: dict[str, list[bytes]] = {user: [] for user in USERS}
    with running(make_site(tmp_path, certificates, *way)) as site, ExitStack() as ends:
        writers = {user: site.link(user, f"writer-{user}") for user in USERS}
        readers = {user: site.link(user, f"reader-{user}", start=False) for user in USERS}
        for link in (*writers.values(), *readers.values()):
            ends.callback(link.stop, 0.0)
        for user, link in readers.items():
            for topic in asked:
                link.subscribe(topic, keep_in(heard[user]))
            link.start()
            assert link.wait_connected(10.0)
            link.publish("anything", b"is my subscription there")
            assert link.flush(10.0)  # mosquitto answers a client's packets in their order
        assert table(writers, heard) == {}


def keep_in(payloads: list[bytes]) -> Callable[[Received], None]:
    return lambda message: payloads.append(message.payload)


def table(writers: dict[str, MqttLink], heard: dict[str, list[bytes]]) -> dict[str, str]:
    """Try every topic as every user; return what differs from the table."""
    wrong: dict[str, str] = {}
    for topic, (may_write, _) in TABLE.items():
        for user, link in writers.items():
            before = link.failures
            link.publish(topic, f"{user} on {topic}".encode())
            assert link.flush(5.0)
            if (link.failures == before) != (user in may_write):
                wrong[f"{user} writes {topic}"] = (
                    "allowed" if link.failures == before else "refused"
                )
    writers["desk"].publish(f"{ROOT}/m/printer-a/cmd/start", b"end")
    writers["desk"].publish(f"{ROOT}/m/mill/cmd/stop", b"end")
    writers["pi1"].publish(f"{ROOT}/m/printer-a/state", b"end")
    wait_until(lambda: all(b"end" in heard[user] for user in USERS), "the end is heard")
    for topic, (may_write, may_read) in TABLE.items():
        for user in USERS:
            expected = {f"{writer} on {topic}".encode() for writer in may_write if user in may_read}
            got = {one for one in heard[user] if one.endswith(f" on {topic}".encode())}
            if got != expected:
                wrong[f"{user} hears {topic}"] = str(got)
    return wrong


@pytest.mark.filterwarnings(
    # paho drops its socket where TLS fails, and leaves the closing to Python
    "ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning"
)
def test_strangers_and_clear_text_stay_outside(tmp_path: Path, certificates: Path) -> None:
    ca = certificates / "lab-ca.pem"
    with running(make_site(tmp_path, certificates)) as site:
        for address in (
            BrokerAddress("localhost", site.port, None, None, tls=True, ca_file=ca),
            BrokerAddress("localhost", site.port, "desk", "guess", tls=True, ca_file=ca),
            BrokerAddress("localhost", site.port, "desk", "guess"),  # no TLS
            BrokerAddress("localhost", site.port, "desk", "guess", tls=True),  # does not trust us
        ):
            said: list[str] = []
            link = MqttLink(address, "stranger", log=said.append)
            link.start()
            wait_until(lambda said=said: said, "the refusal is told")  # type: ignore[misc]
            link.stop()
            assert not link.connected
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(ca)
        with (
            socket.create_connection(("localhost", site.port), timeout=5) as plain,
            old.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            assert secure.version() == "TLSv1.3"


def test_a_bridge_tells_and_does_not_listen(tmp_path: Path, certificates: Path) -> None:
    (tmp_path / "wide").mkdir()
    (tmp_path / "lab").mkdir()
    wide = make_site(tmp_path / "wide", certificates)
    word = tmp_path / "word"
    word.write_text((wide.config.paths.broker_password("pi1")).read_text())
    lab = make_site(
        tmp_path / "lab", certificates,
        "--bridge", f"mqtts://pi1@localhost:{wide.port}", "--bridge-password-file", str(word),
        "--bridge-ca", str(certificates / "lab-ca.pem"),
    )  # fmt: skip
    with running(wide), running(lab), ExitStack() as ends:
        out: list[bytes] = []
        back: list[bytes] = []
        outside, inside = wide.link("desk", "outside", start=False), lab.link("desk", "inside")
        machine = lab.link("pi1", "machine")
        for link in (outside, inside, machine):
            ends.callback(link.stop, 0.0)
        outside.subscribe(f"{ROOT}/m/+/state", keep_in(out))
        outside.start()
        inside.subscribe(f"{ROOT}/#", keep_in(back))
        assert outside.wait_connected(10.0)

        def told() -> bool:
            machine.publish(f"{ROOT}/m/printer-a/state", b"from inside")
            return b"from inside" in out

        wait_until(told, f"the bridge tells: {(tmp_path / 'lab' / 'log').read_text()}")
        outside.publish(f"{ROOT}/m/printer-a/cmd/stop", b"from outside")
        outside.publish(f"{ROOT}/m/printer-a/booking", b"from outside")
        assert outside.flush(5.0)
        inside.publish(f"{ROOT}/m/printer-a/booking", b"the end")
        wait_until(lambda: b"the end" in back, "what is said inside is heard inside")
        assert b"from outside" not in back


def test_the_files_are_for_their_owner_alone(tmp_path: Path, certificates: Path) -> None:
    need_mosquitto()
    site = make_site(tmp_path, certificates)
    assert {stat.S_IMODE(file.stat().st_mode) for file in site.out.iterdir()} == {0o600}
    before = site.config.paths.broker_password("desk").read_text()
    assert before.strip() not in "".join(file.read_text() for file in site.out.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes what others cannot read")
def test_what_root_makes_is_the_labs_and_no_link_is_given_away(
    tmp_path: Path, certificates: Path
) -> None:
    need_mosquitto()
    stranger = pwd.getpwnam("nobody")
    (tmp_path / "data" / "broker").mkdir(parents=True)
    os.chown(tmp_path / "data" / "broker", stranger.pw_uid, stranger.pw_gid)
    mine = tmp_path / "mine"
    mine.touch()
    (tmp_path / "mosquitto").mkdir()
    (tmp_path / "mosquitto" / "link").symlink_to(mine)
    folder_open_to_others(tmp_path)
    site = make_site(tmp_path, certificates, "--owner", "games")
    passwords = list(site.config.paths.broker.glob("*.password"))
    assert {one.owner() for one in passwords} == {"nobody"}
    assert len(passwords) == 4
    assert (site.out / "acl").owner() == "games"
    assert mine.owner() == "root"


def folder_open_to_others(folder: Path) -> None:
    """Let others pass through the folders that pytest keeps to itself."""
    for one in (folder, *folder.parents):
        if one.name == "" or one.stat().st_mode & 0o001:
            return
        one.chmod(0o711)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--listen", "192.0.2.1"), "only TLS"),
        (("--loopback-port", "0"), "nobody could connect"),
        (("--bridge", "mqtt://a@b"), "no mqtts://"),
        (("--bridge", "mqtts://a@b"), "--bridge-password-file"),
        (("--bridge", "mqtts://a:word@b"), "holds a password"),
    ],
)
def test_what_would_be_unsafe_is_refused(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    file = tmp_path / "lab.toml"
    file.write_text('[lab]\nid = "lab"\nname = "Lab"\n')
    done = CliRunner().invoke(
        broker_config, ["--config", str(file), "--out", str(tmp_path / "out"), *words]
    )
    assert done.exit_code != 0
    assert why in str(done.exception)
    assert not (tmp_path / "out" / "fabctl.conf").exists()
