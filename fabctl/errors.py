"""The errors of fabctl, one root: each says which device, what was asked, what happened, the limit.

A subclass says whose fault it is: ours (:class:`LocalError`), the device's
(:class:`DeviceError`), or the person's input (:class:`InputError`).
"""

from __future__ import annotations

from pathlib import Path


class FabError(Exception):
    """Something fabctl can explain.

    :param what: one sentence: what was asked and what happened.
    :param device: the machine or the port, where there is one.
    :param limit: the limit that was crossed, with its unit, where there is one.
    :param next_step: one sentence: what a person can do now.
    """

    def __init__(
        self,
        what: str,
        *,
        device: str | None = None,
        limit: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.device = device
        self.limit = limit
        self.next_step = next_step

    def __str__(self) -> str:
        parts = [f"{self.device}: {self.what}" if self.device else self.what]
        if self.limit:
            parts.append(f"(limit: {self.limit})")
        if self.next_step:
            parts.append(f"→ {self.next_step}")
        return " ".join(parts)


class InputError(FabError, ValueError):
    """What a person or a file gave cannot be used."""


class LocalError(FabError, RuntimeError):
    """This program was asked for something its state does not allow."""


class DiskFullError(LocalError):
    """There is no room left on a disk; what was about to be written is not there, the rest stands.

    :param disk: where that disk is mounted; None: another computer's, or not known.
    """

    def __init__(  # as FabError's, and the disk
        self,
        what: str,
        *,
        device: str | None = None,
        limit: str | None = None,
        next_step: str | None = None,
        disk: Path | None = None,
    ) -> None:
        super().__init__(what, device=device, limit=limit, next_step=next_step)
        self.disk = disk


class DeviceError(FabError, OSError):
    """A device or its cable did not do what was asked."""

    # OSError.__new__ keeps its own idea of a message; ours is the one to show.
    __str__ = FabError.__str__


class PortLostError(DeviceError):
    """The port closed under us: a pulled cable, a device that left, an ended pseudo-terminal."""


class TargetOutOfRangeError(InputError):
    """A target (temperature, position, feed) lies outside the limits; nothing was sent."""


class NotAuthenticError(FabError):
    """A signed message failed its check: wrong key, machine or boot, too old, or seen before."""


class UnknownIdError(InputError, LookupError):
    """There is no person, machine, reservation, job with this id (any more)."""
