"""What can be booked on a page: a machine of lab.toml, or a space or a seat of the record."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, url_for

from fabctl.services import resources
from fabctl_web.lab import Lab


@dataclass(frozen=True)
class Place:
    """Something that people book."""

    id: str
    name: str
    is_machine: bool
    """Whether it has a page of its own."""
    category: str = ""

    @property
    def address(self) -> str:
        """Where to go from its booking page: its own page, or the day's timeline."""
        if self.is_machine:
            return url_for("machines.page", machine=self.id)
        return url_for("planning.day")


def all_places(lab: Lab) -> list[Place]:
    """Return everything that is not retired, in the lab's order."""
    machines = lab.config.machines
    with lab.db.reading() as db:
        found = resources.list_all(db)
    return [Place(one.id, one.name, one.id in machines, one.category) for one in found]


def place_or_404(lab: Lab, resource_id: str) -> Place:
    """Return one of them, or end the request with 404."""
    found = {one.id: one for one in all_places(lab)}.get(resource_id)
    if found is None:
        abort(404)
    return found
