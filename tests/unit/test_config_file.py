"""lab.toml: what a good one gives, and every mistake with its place and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fabctl.commands.check_config import check_config
from fabctl.config import LabConfig
from fabctl.config_file import ConfigError, ConfigProblem, load, read, summary
from fabctl.config_reader import line_of
from fabctl.ports import MachineKind, WorkArea
from fabctl.units import Celsius

GOOD = """\
[lab]
id = "casemate"
name = "Fab Lab La Casemate"

[hosts.pi1]
name = "Raspberry Pi de l'atelier"

[machines.printer-a]
name = "Imprimante 3D A"
kind = "printer"
driver = "marlin"
port = "/dev/ttyUSB7"
baud = 250000
work_area = { x = [0, 250], y = [0, 210], z = [0, 210] }
limits = { nozzle_max_c = 280, bed_max_c = 110, feed_max_mm_per_min = 12000 }
options = { window = 4 }
"""
FULL = f"""{GOOD}
[data]
directory = "data"
[database]
url = "sqlite:///lab.db"
[broker]
url = "mqtts://broker.lab"
ca_file = "/dev/null"
[web]
address = "127.0.0.1"
port = 8080
upload_max_mb = 200
kiosk_addresses = ["::1"]
""".replace("[hosts", 'time_zone = "Europe/Paris"\nlanguages = ["fr"]\nsimulated = true\n[hosts')
DRIVERS = ("marlin", "opaque")
HERE = Path("/srv/lab/lab.toml")


def problems_of(raw: str) -> list[ConfigProblem]:
    """Return what is wrong with a text."""
    with pytest.raises(ConfigError) as caught:
        read(raw, HERE, DRIVERS)
    return caught.value.problems


def test_a_good_file_gives_typed_values() -> None:
    lab = read(GOOD, HERE, DRIVERS)
    printer = lab.machines["printer-a"]

    assert (lab.id, lab.time_zone.key, lab.languages) == ("casemate", "Europe/Paris", ("fr", "en"))
    assert lab.database_url == "sqlite:////srv/lab/data/lab.db"
    assert lab.paths.machine_key("printer-a") == Path("/srv/lab/data/keys/printer-a.key")
    assert (printer.kind, printer.host, printer.baud) == (MachineKind.PRINTER, "pi1", 250_000)
    assert printer.work_area == WorkArea((0, 250), (0, 210), (0, 210))
    assert printer.limits.bed_max_c == Celsius(110)
    assert printer.limits.power_max is None
    assert printer.options == {"window": 4}


def test_paths_count_from_the_files_folder() -> None:
    raw = GOOD.replace("/dev/ttyUSB7", "sim/printer-a") + '[data]\ndirectory = "../there"\n'
    lab = read(raw, HERE, DRIVERS)

    assert lab.data_directory == Path("/srv/there")
    assert lab.machines["printer-a"].port == "/srv/lab/sim/printer-a"
    assert lab.database_url == "sqlite:////srv/there/lab.db"


def test_a_url_as_a_port_is_left_alone() -> None:
    lab = read(GOOD.replace("/dev/ttyUSB7", "socket://10.0.0.3:7000"), HERE, DRIVERS)
    assert lab.machines["printer-a"].port == "socket://10.0.0.3:7000"


def test_a_lab_without_hosts_is_this_computer() -> None:
    raw = GOOD.replace('[hosts.pi1]\nname = "Raspberry Pi de l\'atelier"\n', "")
    assert read(raw, HERE, DRIVERS).machines["printer-a"].host == "here"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////var/lab.db", "sqlite:////var/lab.db"),
        ("sqlite:///near.db", "sqlite:////srv/lab/data/near.db"),
        ("postgresql+psycopg://lab:pw@db/lab", "postgresql+psycopg://lab:pw@db/lab"),
    ],
)
def test_database_addresses(url: str, expected: str) -> None:
    assert read(f'{GOOD}[database]\nurl = "{url}"\n', HERE, DRIVERS).database_url == expected


def test_the_summary_hides_the_databases_password() -> None:
    raw = f'{GOOD}[database]\nurl = "postgresql+psycopg://lab:hunter2@db/lab"\n'
    lines = summary(read(raw, HERE, DRIVERS))
    assert "hunter2" not in lines
    assert "printer-a: Imprimante 3D A, printer, marlin on pi1" in lines


@dataclass(frozen=True)
class Mistake:
    """A change to the good file, and what must be said about it."""

    change: Callable[[str], str]
    key: str
    found: str
    allowed: str


def swap(old: str, new: str) -> Callable[[str], str]:
    """Return a change that replaces a text that must be there."""

    def change(raw: str) -> str:
        assert old in raw
        return raw.replace(old, new)

    return change


def add(text: str) -> Callable[[str], str]:
    """Return a change that adds lines at the end."""
    return lambda raw: f"{raw}{text}\n"


SECOND = '[machines.other]\nkind = "mill"\ndriver = "opaque"\n'
MISTAKES = {
    "lab id": Mistake(swap('"casemate"', '"La Casemate"'), "lab.id", "'La Casemate'", "hyphens"),
    "no lab id": Mistake(swap('id = "casemate"\n', ""), "lab.id", "nothing", "needed"),
    "empty name": Mistake(swap('"Fab Lab La Casemate"', '" "'), "lab.name", "' '", "not empty"),
    "zone": Mistake(
        swap("[hosts", 'time_zone = "Europe/Pari"\n[hosts'),
        "lab.time_zone", "'Europe/Pari'", "did you mean Europe/Paris?",
    ),
    "zone type": Mistake(swap("[hosts", "time_zone = 1\n[hosts"), "lab.time_zone", "1", "a time"),
    "languages": Mistake(
        swap("[hosts", 'languages = ["fr", "de"]\n[hosts'),
        "lab.languages", "['fr', 'de']", "en, fr",
    ),
    "no language": Mistake(swap("[hosts", "languages = []\n[hosts"), "lab.languages", "[]", "one"),
    "simulated": Mistake(
        swap("[hosts", 'simulated = "yes"\n[hosts'), "lab.simulated", "'yes'", "true or false"
    ),
    "unknown table": Mistake(add("[machine.x]"), "machine", "an unknown key", "mean machines?"),
    "unknown key": Mistake(
        swap("baud = ", "bauds = "), "machines.printer-a.bauds", "unknown", "did you mean baud?"
    ),
    "unknown limit": Mistake(
        swap("nozzle_max_c", "nozle_max_c"),
        "machines.printer-a.limits.nozle_max_c", "unknown", "did you mean nozzle_max_c?",
    ),
    "machine id": Mistake(
        swap("printer-a]", "Printer_A]"), "machines.Printer_A", "'Printer_A'", "lowercase"
    ),
    "kind": Mistake(
        swap('"printer"', '"pinter"'), "machines.printer-a.kind", "'pinter'", "mean printer?"
    ),
    "driver": Mistake(
        swap('"marlin"', '"malrin"'), "machines.printer-a.driver", "'malrin'", "mean marlin?"
    ),
    "no driver": Mistake(
        swap('driver = "marlin"\n', ""), "machines.printer-a.driver", "nothing", "marlin, opaque"
    ),
    "host": Mistake(
        swap("baud = 250000", 'host = "pi2"'), "machines.printer-a.host", "'pi2'", "mean pi1?"
    ),
    "which host": Mistake(
        add("[hosts.pi3]"), "machines.printer-a.host", "nothing", "this key is needed: pi1, pi3"
    ),
    "host named desk": Mistake(add("[hosts.desk]"), "hosts.desk", "'desk'", "any name but desk"),
    "baud text": Mistake(
        swap("250000", '"250000"'), "machines.printer-a.baud", "'250000'", "a whole number from 300"
    ),
    "baud 0": Mistake(swap("250000", "0"), "machines.printer-a.baud", "0", "from 300"),
    "baud true": Mistake(swap("250000", "true"), "machines.printer-a.baud", "true", "from 300"),
    "axis turned": Mistake(
        swap("y = [0, 210]", "y = [210, 0]"),
        "machines.printer-a.work_area.y", "[210, 0]", "lowest < highest",
    ),
    "axis of nan": Mistake(
        swap("x = [0, 250]", "x = [0, nan]"), "machines.printer-a.work_area.x", "nan", "in mm"
    ),
    "axis missing": Mistake(
        swap(", z = [0, 210] }", " }"), "machines.printer-a.work_area.z", "nothing", "in mm"
    ),
    "nozzle": Mistake(
        swap("280", "2800"), "machines.printer-a.limits.nozzle_max_c", "2800", "at most 500 °C"
    ),
    "bed": Mistake(swap("110", "0"), "machines.printer-a.limits.bed_max_c", "0", "above 0"),
    "feed": Mistake(
        swap("12000", "-1"), "machines.printer-a.limits.feed_max_mm_per_min", "-1", "mm/min"
    ),
    "two on one port": Mistake(
        add(f'{SECOND}port = "/dev/../dev/ttyUSB7"'),
        "machines.other.port", "/dev/../dev/ttyUSB7", "machines.printer-a has this one",
    ),
    "options": Mistake(
        swap("window = 4", "window = [4]"), "machines.printer-a.options.window", "[4]", "a text"
    ),
    "machines no table": Mistake(
        swap("[machines.printer-a]", "[[machines.printer-a]]"),
        "machines.printer-a", "[{", "a table",
    ),
    "database": Mistake(
        add('[database]\nurl = "mysql://x"'), "database.url", "'mysql://x'", "postgresql+psycopg"
    ),
    "memory": Mistake(
        add('[database]\nurl = "sqlite:///:memory:"'), "database.url", ":memory:", "must be a file"
    ),
    "web port": Mistake(add("[web]\nport = 80800"), "web.port", "80800", "from 0 to 65535"),
    "web address": Mistake(
        add('[web]\naddress = "lab.local"'), "web.address", "'lab.local'", "an IP address"
    ),
    "web name": Mistake(
        add('[web]\nnames = ["http://lab.local"]'), "web.names", "http://lab.local", "without http"
    ),
    "public address": Mistake(
        add('[web]\npublic_url = "lab.example"'), "web.public_url", "'lab.example'", "https://NAME"
    ),
    "proxy": Mistake(
        add('[web]\nproxy_addresses = ["nginx"]'), "web.proxy_addresses", "nginx", "IP address"
    ),
    "peer": Mistake(
        add('[web]\npeers = ["http://10.0.0.12"]'), "web.peers", "http://10.0.0.12", "only https://"
    ),
    "peers": Mistake(add('[web]\npeers = ["ten"]'), "web.peers", "ten", "a list of addresses"),
    "kiosk": Mistake(
        add('[web]\nkiosk_addresses = ["kiosk"]'), "web.kiosk_addresses", "['kiosk']", "IP address"
    ),
    "kiosk text": Mistake(
        add('[web]\nkiosk_addresses = "::1"'), "web.kiosk_addresses", "'::1'", "a list"
    ),
    "stick beside nothing": Mistake(
        add('[web]\nstick_folders = { kiosk = "/x" }'), "web.stick_folders", "kiosk", "table"
    ),
    "stick somewhere": Mistake(
        add('[web]\nstick_folders = { "::1" = "usb" }'), "web.stick_folders", "usb", "absolute"
    ),
    "plain provider afar": Mistake(
        add('[web.oidc]\nissuer = "http://x.org"\nclient_id = "a"\nlink = "login"'),
        "web.oidc.issuer",
        "http://x.org",
        "https://NAME",
    ),
    "provider without a link": Mistake(
        add('[web.oidc]\nissuer = "https://x.org"\nclient_id = "a"'),
        "web.oidc.link",
        "nothing",
        "login",
    ),
    "plain mqtt afar": Mistake(
        add('[broker]\nurl = "mqtt://10.0.0.2"'), "broker.url", "10.0.0.2", "only mqtts://"
    ),
    "broker http": Mistake(add('[broker]\nurl = "http://x"'), "broker.url", "http", "mqtts://USER"),
    "broker port": Mistake(
        add('[broker]\nurl = "mqtts://x:99999"'), "broker.url", "99999", "mqtts://USER"
    ),
    "broker password": Mistake(
        add('[broker]\nurl = "mqtts://me:secret@x"'), "broker.url", "mqtts", "in password_file"
    ),
    "user alone": Mistake(
        add('[broker]\nurl = "mqtts://me@x"'), "broker.url", "me@x", "together with password_file"
    ),
    "no such file": Mistake(
        add('[broker]\nurl = "mqtts://x"\nca_file = "ca.pem"'), "broker.ca_file", "ca.pem", "exists"
    ),
    "file alone": Mistake(
        add('[broker]\nca_file = "/dev/null"'),
        "broker.ca_file", "/dev/null", "only together with broker.url",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_told_with_its_key_and_what_is_allowed(name: str) -> None:
    mistake = MISTAKES[name]
    raw = mistake.change(GOOD)

    matching = [found for found in problems_of(raw) if found.key == mistake.key]

    assert len(matching) == 1
    assert mistake.found in matching[0].found
    assert mistake.allowed in matching[0].allowed
    assert matching[0].line is not None or "nothing" in matching[0].found


def test_all_mistakes_are_told_at_once() -> None:
    raw = GOOD
    for name in ("lab id", "driver", "baud 0", "nozzle", "unknown table"):
        raw = MISTAKES[name].change(raw)

    keys = [problem.key for problem in problems_of(raw)]

    assert keys == [
        "lab.id",
        "machines.printer-a.driver",
        "machines.printer-a.baud",
        "machines.printer-a.limits.nozzle_max_c",
        "machine",
    ]


def test_broken_toml_is_told_with_its_line() -> None:
    (problem,) = problems_of('[lab]\nid = "x\n')
    assert problem.line == 2
    assert problem.allowed == "TOML 1.0"


def test_the_line_of_a_key_is_the_nearest_written_one() -> None:
    assert line_of(GOOD, "lab.id") == 2
    assert line_of(GOOD, "machines.printer-a.limits.bed_max_c") == 15
    assert line_of(GOOD, "machines.printer-a.host") == 8
    assert line_of(GOOD, "web.port") is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "lab.toml")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_bytes(b'[lab]\nname = "\xff"')
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "lab.toml")


def test_check_config_prints_every_mistake_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text(MISTAKES["nozzle"].change(MISTAKES["lab id"].change(GOOD)))

    result = CliRunner().invoke(check_config, ["--config", str(file)])

    assert result.exit_code == 1
    assert result.stderr.count("\n") == 2
    assert re.search(r"lab\.toml:2: lab\.id: found 'La Casemate'; allowed: ", result.stderr)


def test_check_config_says_ok(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text(GOOD)

    result = CliRunner().invoke(check_config, ["--config", str(file)])

    assert result.exit_code == 0
    assert result.stdout.endswith("OK\n")


def test_a_config_error_is_readable_as_a_whole() -> None:
    with pytest.raises(ConfigError) as caught:
        read(MISTAKES["baud 0"].change(GOOD), HERE, DRIVERS)
    assert str(caught.value).startswith("1 mistake in /srv/lab/lab.toml:\n  ")


TOML_VALUES = st.recursive(
    st.sampled_from(["true", "1", "-0.5", "nan", "inf", "1e400", '""', '"x"', "1979-05-27"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda some: f"[{', '.join(some)}]")
        | inner.map(lambda one: f"{{ k = {one} }}")
    ),
    max_leaves=4,
)
ASSIGNMENTS = [line for line in FULL.splitlines() if " = " in line]


@given(st.sampled_from(ASSIGNMENTS), TOML_VALUES)
def test_any_value_anywhere_is_used_or_refused(line: str, value: str) -> None:
    key = line.split(" = ", maxsplit=1)[0]
    problems: list[ConfigProblem] = []
    try:
        read(FULL.replace(line, f"{key} = {value}"), HERE, DRIVERS)
    except ConfigError as error:
        problems = error.problems
    assert all(problem.found and problem.allowed for problem in problems)


def test_a_lab_without_machines_is_a_lab() -> None:
    lab: LabConfig = read('[lab]\nid = "x"\nname = "X"\n', HERE, DRIVERS)
    assert lab.machines == {}
