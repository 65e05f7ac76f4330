"""What is read off the lab at each visit of Prometheus. Labels are of lab.toml and of our enums."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from fabctl import __version__
from fabctl.believed_clock import jump_of
from fabctl.errors import FabError
from fabctl.messaging.interlocks import STATES
from fabctl.messaging.lab_findings import steward_speaks
from fabctl.messaging.payloads import MachineState
from fabctl.model.doctor import Severity
from fabctl.services.doctor_lab import backup_facts
from fabctl.services.figures import LabFigures, lab_figures
from fabctl.units import Seconds
from fabctl_web.lab import Lab
from fabctl_web.staff.health_findings import findings

COUNTED_AGAIN_AFTER = Seconds(60.0)
"""A lab of ten years has many jobs: they are not counted for each visit."""
Labels = tuple[tuple[str, str], ...]
Values = dict[Labels, float]


class LabCollector(Collector):
    """One lab's gauges. Safe from any thread."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._guard = threading.Lock()
        self._counted: tuple[LabFigures, Seconds] | None = None

    def collect(self) -> Iterable[Metric]:
        """Yield every gauge; what is not known is left out or NaN, never a number."""
        yield _gauge("fabctl_build_info", "The version.", {(("version", __version__),): 1.0})
        yield from self._processes()
        yield from self._machines()
        yield from self._locks()
        yield from self._record()
        yield from self._computer()

    def _processes(self) -> Iterator[Metric]:
        lab, view = self._lab, self._lab.view
        yield _one("fabctl_broker_connected", "1: the broker has us.", _flag(view.connected))
        yield _one("fabctl_sse_streams", "Open live pages.", lab.hub.streams)
        said, speaks = view.steward(), steward_speaks(view, waited=False)
        yield _one("fabctl_steward_up", "1: its word is fresh.", _flag(speaks))
        for name in ("recorded", "repeated", "failures"):
            count = said.figures.get(name)
            if isinstance(count, int):
                yield _one(f"fabctl_steward_{name}", f"Events {name} since its start.", count)
        hosts: Values = {(("host", one.id),): _flag(one.online) for one in view.hosts()}
        yield _gauge("fabctl_host_up", "1: a machine's computer is there.", hosts)

    def _machines(self) -> Iterator[Metric]:
        states: Values = {}
        ages: Values = {}
        for one in self._lab.view.all():
            for state in MachineState:
                labels: Labels = (("machine", one.id), ("state", state.value))
                states[labels] = float(one.state == state.value)
            if one.age_s is not None:
                ages[("machine", one.id),] = one.age_s
        yield _gauge("fabctl_machine_state", "1 for the state that a machine is in.", states)
        yield _gauge("fabctl_machine_age_seconds", "Since a machine said its state.", ages)

    def _locks(self) -> Iterator[Metric]:
        found: Values = {}
        for name in self._lab.config.interlocks:
            now = self._lab.view.interlock(name).state
            for state in sorted(STATES):
                labels: Labels = (("machine", name), ("state", state))
                found[labels] = float(now == state)
        yield _gauge("fabctl_interlock_state", "1 for the state that an interlock is in.", found)

    def _record(self) -> Iterator[Metric]:
        try:
            figures = self._figures()
        except (FabError, SQLAlchemyError):
            yield _one("fabctl_database_up", "1: the database answers.", 0.0)
            return
        yield _one("fabctl_database_up", "1: the database answers.", 1.0)
        jobs: Values = {(("state", state),): float(count) for state, count in figures.jobs.items()}
        yield _gauge("fabctl_jobs", "Jobs on record, by state; counted once a minute.", jobs)
        if figures.event_lag_s is not None:
            lag = "From the newest machine event to its record."
            yield _one("fabctl_event_lag_seconds", lag, figures.event_lag_s)

    def _figures(self) -> LabFigures:
        with self._guard:
            now = self._lab.clock.monotonic()
            if self._counted is None or now - self._counted[1] >= COUNTED_AGAIN_AFTER:
                with self._lab.db.reading() as session:
                    self._counted = lab_figures(session), now
            return replace(self._counted[0])

    def _computer(self) -> Iterator[Metric]:
        lab = self._lab
        backup = backup_facts(lab.config).newest_at
        if backup is not None:
            age = (lab.clock.now() - backup).total_seconds()
            yield _one("fabctl_backup_age_seconds", "Of the newest archive.", age)
        jump = jump_of(lab.clock)
        ahead = 0.0 if jump is None else jump.total_seconds()
        yield _one("fabctl_clock_jump_seconds", "A wall clock that is not believed.", ahead)
        folder = lab.config.data_directory
        if folder.exists():
            disk = shutil.disk_usage(folder)
            yield _one("fabctl_disk_free_bytes", "Of the disk with the lab's data.", disk.free)
            yield _one("fabctl_disk_size_bytes", "Of the disk with the lab's data.", disk.total)
        found = findings(lab)
        counts: Values = {
            (("severity", one.value),): float(sum(f.severity is one for f in found))
            for one in Severity
        }
        yield _gauge("fabctl_findings", "What fabctl doctor would say, by severity.", counts)


def _flag(known: bool | None) -> float:
    return float("nan") if known is None else float(known)


def _one(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _gauge(name: str, help_: str, values: Values) -> Metric:
    names = [label for label, _ in next(iter(values), ())]
    family = GaugeMetricFamily(name, help_, labels=names)
    for labels, value in values.items():
        family.add_metric([text for _, text in labels], value)
    return family
