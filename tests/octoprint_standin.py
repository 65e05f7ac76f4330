"""A real OctoPrint with its virtual printer, as what a driver's contract is tried with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.octoprint_server import ON_THE_WAY, OctoPrintServer, octoprint_server, until

HEAT = "M104 S55\nM140 S45\n"


class OctoPrintStandIn:
    """Fits :class:`fabctl.driver_contract.standin.StandIn`."""

    baud = 0
    kind = "printer"
    job = "G28\n; a comment\n" + "G4 P60\n" * 40
    long_job = "G28\n" + HEAT + "G4 P100 ; a wait\n" * 500
    gives_up_within_s = 20.0
    goes_on_alone = True

    def __init__(self, server: OctoPrintServer, folder: Path) -> None:
        self._server = server
        key = folder / "key"
        key.write_text(server.new_key() + "\n")
        self.port: str | None = server.url
        self.options: Mapping[str, str | int | float | bool] = {
            "api_key_file": str(key),
            "patience_s": 2,
        }

    def outputs(self) -> Mapping[str, float]:
        """Return what the heaters are asked for, in °C."""
        return self._server.targets

    def rest(self) -> None:
        """Cancel what is printed, and cool down; an idle printer is left alone."""
        server = self._server
        until(lambda: server.connection not in ON_THE_WAY, "the printer has come to rest")
        if server.connection in {"Printing", "Paused"}:
            server.do("/api/job", command="cancel")
        until(lambda: server.state == "Operational", "the virtual printer is operational")
        if any(server.targets.values()):
            server.do("/api/printer/tool", command="target", targets={"tool0": 0})
            server.do("/api/printer/bed", command="target", target=0)


@contextmanager
def octoprint(folder: Path) -> Iterator[OctoPrintStandIn]:
    """Give one; the server ends with the block."""
    with octoprint_server(folder / "server") as server:
        server.connect_printer()
        yield OctoPrintStandIn(server, folder)
