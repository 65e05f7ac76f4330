"""The rooms, seats, hours and workshops of a seeded lab."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.booking_policy import Reach, Scope
from fabctl.services import opening, policies, resources
from fabctl.store.tables import Resource

RESOURCES = 40
WOOD, DIGITAL, ELECTRONICS, TEXTILE = (
    "atelier-bois",
    "atelier-numerique",
    "atelier-electronique",
    "atelier-textile",
)
_ROOMS = {
    WOOD: "Atelier bois",
    DIGITAL: "Atelier numérique",
    ELECTRONICS: "Atelier électronique",
    TEXTILE: "Atelier textile",
}
_ROOM_OF = {"mill": WOOD}
"""Where machines stand, by their kind in lab.toml; all the others in the digital workshop."""

_SPACES = {
    "salle-formation": "Salle de formation",
    "cuisine": "Cuisine partagée",
    "studio-son": "Studio son",
    "scene": "Scène",
    "salle-reunion": "Salle de réunion",
}
_SEATS = (
    # the id's begin, the name's, the room
    ("etabli", "Établi", WOOD),
    ("soudure", "Poste de soudure", ELECTRONICS),
    ("couture", "Poste de couture", TEXTILE),
    ("poste-cao", "Poste CAO", DIGITAL),
)

OPENS, CLOSES = 10 * 60, 20 * 60
WEEK = {
    **dict.fromkeys(range(1, 5), ((OPENS, CLOSES),)),
    0: ((14 * 60, CLOSES),),
    5: ((OPENS, 18 * 60),),
}
"""From Monday (0) to Saturday, in minutes after midnight."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something that people book by itself: a machine, a seat, a space without any in it."""

    id: str
    category: str
    room: str
    """What it lies in; itself where it lies in nothing."""
    machine: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A workshop of the seeded lab."""

    title: str
    room: str
    places: int
    hours: float
    ages: tuple[int | None, int | None]
    description: str
    price_cents: int = 0
    hands_out: bool = False
    """Whether those who were there are handed a certificate."""


OFFERS = (
    Offer("Initiation à l’impression 3D", DIGITAL, 8, 2, (None, None), "Du dessin à l’objet.",
          hands_out=True),
    Offer("Découverte de la découpe laser", DIGITAL, 6, 2, (15, None), "Régler, découper, graver.",
          hands_out=True),
    Offer("Robots du mercredi", ELECTRONICS, 10, 2.5, (10, 14), "Construire un robot qui roule."),
    Offer("Souder son premier circuit", ELECTRONICS, 8, 2, (12, None), "Une lampe à emporter."),
    Offer("Couture : réparer ses vêtements", TEXTILE, 8, 2.5, (None, None),
          "Ourlets, boutons, pièces."),
    Offer("Menuiserie : premier tabouret", WOOD, 6, 3, (16, None), "Mesurer, couper, assembler.",
          price_cents=1500, hands_out=True),
    Offer("Chantier jeunes", WOOD, 12, 3, (15, 25), "Meubler la maison de quartier."),
    Offer("Musique sur ordinateur", "studio-son", 6, 2, (15, 25), "Composer et enregistrer."),
    Offer("Cuisine anti-gaspi", "cuisine", 10, 2.5, (None, None), "Un repas avec les restes."),
    Offer("Premiers pas en Python", "salle-formation", 12, 2, (11, 17), "Un jeu, ligne par ligne."),
    Offer("Accompagnement de projet", "salle-formation", 8, 2, (18, 25), "De l’idée au budget."),
    Offer("Repair café", DIGITAL, 12, 3, (None, None), "Réparer ensemble plutôt que jeter."),
)  # fmt: skip

PARTNERS = ("Mission locale", "Collège Jean-Moulin", "Maison de quartier", "Association Passerelle")


def furnish(session: Session, clock: Clock, by: str) -> list[Place]:
    """Add rooms and seats up to 40 resources around lab.toml's machines, hours and numbers."""
    machines = list(
        session.scalars(
            select(Resource).where(Resource.retired_at.is_(None)).order_by(Resource.position)
        )
    )
    for room, name in {**_ROOMS, **_SPACES}.items():
        _add(session, clock, room, name, ResourceKind.SPACE, None, by)
    for machine in machines:
        if machine.parent_id is None and machine.kind == ResourceKind.MACHINE:
            room = _ROOM_OF.get(machine.category, DIGITAL)
            resources.put_into(session, clock, resource_id=machine.id, parent_id=room, by=by)
    left = RESOURCES - len(machines) - len(_ROOMS) - len(_SPACES)
    for number in range(max(left, len(_SEATS))):
        begin, name, room = _SEATS[number % len(_SEATS)]
        nth = number // len(_SEATS) + 1
        _add(session, clock, f"{begin}-{nth}", f"{name} {nth}", ResourceKind.SEAT, room, by)
    opening.set_week(session, clock, week=WEEK, by=by)
    numbers = {"clean_up_min": 10, "longest_min": 240}
    laser = Scope(Reach.CATEGORY, "laser")
    policies.set_policy(session, clock, scope=laser, numbers=numbers, by=by)
    return _places(session)


def _add(
    session: Session,
    clock: Clock,
    resource_id: str,
    name: str,
    kind: ResourceKind,
    parent_id: str | None,
    by: str,
) -> None:
    resources.add_resource(
        session,
        clock,
        resource_id=resource_id,
        name=name,
        kind=kind,
        parent_id=parent_id,
        category=resource_id.rstrip("-0123456789") if kind is ResourceKind.SEAT else "",
        by=by,
    )


def _places(session: Session) -> list[Place]:
    rows = session.scalars(select(Resource).where(Resource.retired_at.is_(None))).all()
    rooms: set[str] = {row.parent_id for row in rows if row.parent_id is not None}
    return [
        Place(row.id, row.category, row.parent_id or row.id, row.kind == ResourceKind.MACHINE)
        for row in sorted(rows, key=lambda one: one.position)
        if row.id not in rooms
    ]


def clean_up(place: Place) -> timedelta:
    """Return how long a place stays taken after a reservation."""
    return timedelta(minutes=10) if place.category == "laser" else timedelta()
