"""What lies on the disks of three computers: lab.toml, keys, passwords, certificates, proxies.

Each computer has a folder of its own, and in it only what it is to have.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from fabctl.commands.broker_config import broker_config
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.messaging.keys import make_keys, make_permit_keys
from tests.guarded import INTERLOCK

DEPLOY = Path(__file__).parents[1] / "deploy"
NAME = "machines.fablab.example"
LAB, PI_A, PI_B = "lab", "pi-a", "pi-b"
ADDRESSES = {LAB: "10.77.0.10", PI_A: "10.77.0.11", PI_B: "10.77.0.12"}
OWN = "10.77.0.1"
"""The address of whoever sits at the switch: the tests."""
BROKER_PORT, WEB_PORT, OWN_WEB_PORT = 8883, 8080, 8443
PRINTER, LASER, MILL = "printer-a", "laser", "mill"
MACHINES_OF = {PI_A: (PRINTER, LASER), PI_B: (MILL,)}
WORD = "a-word-for-the-database"
COMMON = """
[lab]
id = "lab"
name = "Lab"
simulated = true
[broker]
url = "mqtts://{lab}:{broker_port}"
password_folder = "data/broker"
ca_file = "tls/lab-ca.pem"
[hosts.lab]
[hosts.pi-a]
[hosts.pi-b]
[machines.printer-a]
kind = "printer"
driver = "marlin"
host = "pi-a"
port = "printer"
work_area = {{ x = [0, 250], y = [0, 210], z = [0, 210] }}
[machines.laser]
kind = "laser"
driver = "opaque"
host = "pi-a"
[machines.mill]
kind = "mill"
driver = "scripted"
host = "pi-b"
port = "cable"
options = {{ lines_per_s = 40 }}
{interlock}"""
DATABASE = """
[database]
url = "postgresql+psycopg://fabctl:{word}@{lab}/lab?sslmode=verify-full&sslrootcert={authority}"
"""
WEB = """
[web]
port = {web_port}
public_url = "https://{lab}"
proxy_addresses = ["127.0.0.1"]
peers = ["https://{peer}:{own_web_port}"]
"""
SERVER = """
[server]
url = "https://{lab}"
token_file = "data/token"
ca_file = "tls/lab-ca.pem"
"""


def need_nginx() -> str:
    """Return where nginx is; skip without it on a person's computer, fail on CI."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        missing = "nginx is missing: apt-get install nginx-light"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def make_certificates(folder: Path) -> None:
    """Make the lab's authority and its servers' certificate, or renew the certificate."""
    names = (NAME, *ADDRESSES.values(), "127.0.0.1")
    words = [str(DEPLOY / "make-certificates.sh"), str(folder), *names]
    subprocess.run(words, check=True, timeout=30, capture_output=True)


def make_expired(folder: Path) -> Path:
    """Make a certificate for the same key and names that ended in 2025, once; return its file."""
    there, out = folder / f"{NAME}.pem", folder / "expired.pem"
    if out.exists():
        return out
    asked = folder / "expired.csr"
    names = ",".join(f"IP:{one}" for one in (*ADDRESSES.values(), "127.0.0.1"))
    (folder / "expired.ext").write_text(f"subjectAltName=DNS:{NAME},{names}\n")
    key = ("-signkey", folder / f"{NAME}.key")
    _openssl("x509", "-x509toreq", "-in", there, *key, "-out", asked)
    (folder / "expired.db").touch()
    (folder / "expired.srl").write_text("01\n")
    (folder / "expired.cnf").write_text(
        f"[ca]\ndefault_ca=it\n[it]\ndatabase={folder}/expired.db\nserial={folder}/expired.srl\n"
        f"new_certs_dir={folder}\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
    )
    _openssl(
        "ca", "-batch", "-notext", "-config", folder / "expired.cnf", "-in", asked, "-out", out,
        "-cert", folder / "lab-ca.pem", "-keyfile", folder / "lab-ca.key",
        "-extfile", folder / "expired.ext",
        "-startdate", "20240101000000Z", "-enddate", "20250101000000Z",
    )  # fmt: skip
    return out


def _openssl(*words: str | Path) -> None:
    done = subprocess.run(
        ["openssl", *map(str, words)], check=False, timeout=30, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def write_config(folder: Path, computer: str, certificates: Path) -> LabConfig:
    """Write a computer's lab.toml, its folders and its share of the certificates."""
    (folder / "data" / "broker").mkdir(parents=True)
    (folder / "data" / "keys").mkdir(mode=0o700)
    (folder / "tls").mkdir()
    shares = ("lab-ca.pem",) if computer == PI_A else ("lab-ca.pem", f"{NAME}.pem", f"{NAME}.key")
    for name in shares:
        shutil.copy(certificates / name, folder / "tls")
    text = COMMON
    if computer != LAB:
        text += SERVER
        (folder / "data" / "token").touch(0o600)
    if computer != PI_A:
        text += DATABASE + WEB
    peer = ADDRESSES[PI_B if computer == LAB else LAB]
    file = folder / "lab.toml"
    file.write_text(
        text.format(
            lab=ADDRESSES[LAB], broker_port=BROKER_PORT, web_port=WEB_PORT, peer=peer, word=WORD,
            own_web_port=OWN_WEB_PORT, authority=folder / "tls" / "lab-ca.pem",
            interlock=INTERLOCK,
        )
    )  # fmt: skip
    return load(file)


def share(configs: dict[str, LabConfig]) -> None:
    """Make the lab's keys, and give each Pi those of its machines; Pi B serves pages too."""
    lab = configs[LAB].paths
    make_keys(lab, configs[LAB].machines)
    make_permit_keys(lab, configs[LAB].interlocks)
    for computer, machines in MACHINES_OF.items():
        own = configs[computer].paths
        shutil.copy(lab.broker_password(computer), own.broker)
        for machine in machines:
            shutil.copy(lab.machine_key(machine), own.keys)
    shutil.copy(lab.permit_key(LASER), configs[PI_A].paths.keys)
    desk = configs[PI_B].paths
    shutil.copy(lab.secret, desk.secret)
    shutil.copy(lab.broker_password("desk"), desk.broker)
    for machine in configs[LAB].machines:
        shutil.copy(lab.machine_key(machine), desk.keys)


def write_broker(config: LabConfig, folder: Path) -> Path:
    """Write the broker's files as ``fabctl broker-config`` does; return its main file."""
    tls = config.file.parent / "tls"
    words = ["--config", str(config.file), "--out", str(folder), "--loopback-port", "0"]
    words += ["--listen", ADDRESSES[LAB], "--port", str(BROKER_PORT)]
    words += ["--cert", str(tls / f"{NAME}.pem"), "--key", str(tls / f"{NAME}.key")]
    done = CliRunner().invoke(broker_config, words)
    assert done.exit_code == 0, done.output
    main = folder.parent / "mosquitto.conf"
    main.write_text(f"user root\npersistence false\ninclude_dir {folder}\n")
    return main


def write_proxy(computer: str, folder: Path, tls: Path) -> Path:
    """Write nginx's files of a computer that serves pages; return the main one.

    Each has the proxy of its own pages; the lab's has the one before both besides.
    """
    folder.mkdir()
    real_ip = f"set_real_ip_from {ADDRESSES[LAB]}; real_ip_header X-Forwarded-For;"
    own = _changed(
        "nginx.conf",
        ("listen 80;", f"listen {ADDRESSES[computer]}:8081;"),
        ("listen 443 ssl", f"listen {ADDRESSES[computer]}:{OWN_WEB_PORT} ssl"),
        ("    location / {", f"    {real_ip}\n    location / {{"),
        (f"server_name {NAME};", f"server_name {NAME} {ADDRESSES[computer]};"),
    )  # fmt: skip
    front = _changed(
        "nginx-several.conf",
        ("listen 443 ssl", f"listen {ADDRESSES[LAB]}:443 ssl"),
        ("192.168.1.10:8443", f"{ADDRESSES[LAB]}:{OWN_WEB_PORT}"),
        ("192.168.1.12:8443", f"{ADDRESSES[PI_B]}:{OWN_WEB_PORT}"),
        (f"server_name {NAME};", f"server_name {NAME} {ADDRESSES[LAB]};"),
    )
    servers = own + (front if computer == LAB else "")
    servers = servers.replace("/etc/fabctl/tls", str(tls))
    servers = servers.replace("/var/log/nginx/error.log crit", f"{folder}/log error")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    main = folder / "nginx.conf"
    main.write_text(
        f"user root;\ndaemon off; pid {folder}/pid; error_log {folder}/log;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off;\n{temporary}"
        f"{servers} }}\n"
    )
    return main


def _changed(name: str, *changes: tuple[str, str]) -> str:
    text = (DEPLOY / "proxy" / name).read_text()
    text = "\n".join(line for line in text.splitlines() if "listen [::]" not in line)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text + "\n"
