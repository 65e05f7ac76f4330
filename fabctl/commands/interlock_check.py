"""One commissioning check: for whom it is, what to do, what is read, what is asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabctl.commands.interlock_readings import Question, Reading
from fabctl.interlock import InputRole, InterlockProfile, OutputRole, ProfileKind

EVERY_KIND = frozenset(ProfileKind)


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the list; it has a reading, a question, or both."""

    key: str
    """Its name; never used twice."""
    do: str
    """What a person does; ``{machine}``, ``{k1}``, ``{k2}`` and ``{lock}`` are filled in."""
    read: Reading | None = None
    """What the daemon must tell afterwards."""
    ask: tuple[Question, ...] = ()
    """What a person must have seen or measured."""
    needs: frozenset[InputRole] = frozenset()
    """Only where all of these inputs are."""
    lacks: frozenset[InputRole] = frozenset()
    """Only where none of these inputs is."""
    kinds: frozenset[ProfileKind] = EVERY_KIND
    monthly: bool = False
    """Whether it is in the monthly test, too."""

    def is_for(self, profile: InterlockProfile) -> bool:
        """Say whether this interlock can have the check."""
        there = frozenset(profile.inputs)
        return profile.kind in self.kinds and self.needs <= there and not self.lacks & there

    def text(self, names: Mapping[str, str]) -> str:
        """Return what to do, with the names of one interlock."""
        return self.do.format_map(dict(names))


def names_of(profile: InterlockProfile) -> dict[str, str]:
    """Return what a check's text calls the parts of this interlock."""
    return {
        "machine": profile.machine,
        "k1": f"GPIO {profile.outputs[OutputRole.K1]}",
        "k2": f"GPIO {profile.outputs[OutputRole.K2]}",
        "lock": str(profile.folder / "lock"),
    }


NAMES_IN_GENERAL = {
    "machine": "ID",
    "k1": "its GPIO",
    "k2": "its GPIO",
    "lock": "interlocks/ID/lock",
}
