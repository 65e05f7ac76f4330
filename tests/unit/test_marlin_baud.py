"""The rate is found by trying: a board answers only at its own, and is mere noise at any other."""

from __future__ import annotations

import pytest

from fabctl.errors import InputError
from fabctl.ports import Connected, MachineKind, MachineProfile, Phase, PhaseChanged, Trouble
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import RATES, Settings, settings_of
from tests.marlin_rig import Rig

NOISE = bytes(range(128, 256, 7))


class OtherRate(Rig):
    """A rig whose board hears and is heard only at its own rate."""

    def __init__(self, rate: int, settings: Settings) -> None:
        super().__init__()
        self.session = Session(settings)
        self.on_heard = lambda data: data if self._fits else NOISE[: len(data)]
        receive = self.firmware.receive
        self.firmware.receive = (  # type: ignore[method-assign]  # the wire between the two
            lambda data, now: receive(data if self._fits else NOISE[: len(data)], now)
        )
        self._rate = rate

    @property
    def _fits(self) -> bool:
        return self.session.baud == self._rate


@pytest.mark.parametrize("rate", RATES)
def test_the_boards_own_rate_is_found(rate: int) -> None:
    others = tuple(other for other in RATES if other != RATES[0])
    rig = OtherRate(rate, Settings(RATES[0], other_bauds=others))
    rig.connect()
    assert rig.session.phase is Phase.IDLE
    assert rig.session.baud == rate
    assert rig.of(Connected)
    assert rig.now < 60.0


def test_at_no_rate_there_is_nobody() -> None:
    rig = OtherRate(1, Settings(RATES[0], other_bauds=RATES[1:]))
    rig.connect()
    last = rig.of(PhaseChanged)[-1]
    assert (last.phase, last.trouble) == (Phase.CLOSED, Trouble.NO_ANSWER)


def profile(baud: str | int) -> MachineProfile:
    return MachineProfile(
        "a", "A", MachineKind.PRINTER, "marlin", "h", "/dev/x", 115_200, options={"baud": baud}
    )


def test_auto_begins_with_the_machines_own_rate() -> None:
    settings = settings_of(profile("auto"))
    assert settings.baud == 115_200
    assert sorted([settings.baud, *settings.other_bauds]) == sorted(RATES)
    with pytest.raises(InputError, match="the option baud is 9600"):
        settings_of(profile(9600))
