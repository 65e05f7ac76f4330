"""The plot of a machine's page: its numbers for the drawing, and the same in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.machines.history import COLUMNS, Row, with_gaps
from fabctl_web.machines.rooms import rooms
from fabctl_web.speech import Speech

area = Blueprint("plots", __name__)
TARGETS = (COLUMNS.index("nozzle_target_c"), COLUMNS.index("bed_target_c"))


@dataclass(frozen=True)
class Plot:
    """What a page with a plot needs."""

    has_bed: bool
    has_target: bool
    has_progress: bool
    words: str
    """For those who do not see the drawing."""


def plot_of(machine: str, _: Speech) -> Plot | None:
    """Return the plot of a machine; None for one that has no temperatures."""
    rows = rooms().history.rows(machine)
    if not rows:
        return None
    has = {name: any(_shown(row, n) is not None for row in rows) for n, name in enumerate(COLUMNS)}
    targets = has["nozzle_target_c"] or has["bed_target_c"]
    return Plot(has["bed_c"], targets, has["done"], in_words(rows, _))


@area.get("/m/<machine>/history")
def history(machine: str) -> Response:
    """Return the last hour as columns; ``?after=`` (s since 1970): only what is newer."""
    lab = current_lab()
    lab.profile(machine)
    after = request.args.get("after", type=float, default=0.0)
    rows = rooms().history.rows(machine)
    found: dict[str, Any] = {"words": in_words(rows, speech())}
    shown = [row for row in with_gaps(rows) if row.at > after]
    found["at"] = [round(row.at, 1) for row in shown]
    for n, name in enumerate(COLUMNS):
        found[name] = [_shown(row, n) for row in shown]
    return jsonify(found)


def _shown(row: Row, column: int) -> float | None:
    """Return a value as it is drawn. A target of 0 °C means that the heater is off: no line."""
    value = row.values[column]
    if value is None or (value == 0.0 and column in TARGETS):
        return None
    return round(value, 3)


def in_words(rows: list[Row], _: Speech) -> str:
    """Return what the plot shows, in a sentence for each heater."""
    if not rows:
        return ""
    lasting = _.lasting(max(60.0, rows[-1].at - rows[0].at))
    names = ((_("Nozzle"), 0), (_("Bed"), 2))
    found = (_sentence(name, [row.values[n] for row in rows], lasting, _) for name, n in names)
    return " ".join(filter(None, found))


def _sentence(name: str, column: list[float | None], lasting: str, _: Speech) -> str:
    known = [value for value in column if value is not None]
    if not known:
        return ""
    return _(
        "{name}: {now} now, between {least} and {most} in the last {time}.",
        name=name,
        now=_.celsius(known[-1]),
        least=_.celsius(min(known)),
        most=_.celsius(max(known)),
        time=lasting,
    )
