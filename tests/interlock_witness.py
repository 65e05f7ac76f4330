"""A witness beside the chain: it sees what was read and what was switched, and holds the property.

*Outputs on ⇒ inputs OK in the last two scans, and reset pressed since the last trip, and (permit
fresh or DRAIN).* Besides: a DRAIN ends where a job does, and air that flaps is no air. It shares
nothing with the chain but the profile and what goes in and out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from fabctl.interlock import InputRole, InterlockProfile
from fabctl.interlock import InterlockState as State
from fabctl_drivers.interlock.inputs import Reading
from fabctl_drivers.interlock.view import Outputs

LONGEST_GAP_S = 0.1
USUAL_GAP_S = 0.03
"""After a longer one a single unsafe scan is enough."""
SLACK_S = 0.11
"""One scan may come so late, and what it sees counts from there."""
SWITCHES = (InputRole.LID_A, InputRole.LID_B, InputRole.ESTOP, InputRole.KEY)
FEEDBACKS = (InputRole.K1_FEEDBACK, InputRole.K2_FEEDBACK)
LONG_AGO = float("-inf")


@dataclass
class Press:
    """A time during which reset read pressed without a break."""

    began: float
    ended: float | None = None


class Witness:
    """Sees every scan of one chain.

    :param boot_at: monotonic, s.
    """

    def __init__(self, profile: InterlockProfile, boot_at: float) -> None:
        self._pins = profile.inputs
        self._times = profile.timings
        self._enough = profile.flow.min_hz * profile.timings.flow_low_s
        self._last_at = boot_at
        self._unsafe_scans = dict.fromkeys(SWITCHES, 0)
        self._exhaust_scans = 0
        self._air_since = self._seen_at = boot_at
        self._airless_s = 0.0
        self._worked_at = self._drains_since = LONG_AGO
        self._pulses: deque[tuple[float, int]] = deque()
        self._pulled_in_at = dict.fromkeys(FEEDBACKS, LONG_AGO)
        self._press: Press | None = None
        self._held: Press | None = None
        self._trip_at = boot_at
        self._on_since: float | None = None
        self._off_at = boot_at
        self._permit: tuple[str, float] | None = None
        self._armed_use = ""
        self._permitted_at = LONG_AGO
        self.switched_on = 0

    # -- what it is told ---------------------------------------------------------------------------

    def permitted(self, use: str, ends_at: float) -> None:
        """Note a permit that is right in every respect."""
        self._permit = (use, ends_at)

    def dropped(self) -> None:
        """Note that the permit was taken back."""
        self._permit = None

    def failed(self, now: float) -> None:
        """Note a failed diagnostic: as a trip, and more."""
        self._trip_at = now

    # -- what it sees ------------------------------------------------------------------------------

    def see(self, reading: Reading, now: float, outputs: Outputs, state: State) -> None:
        """Look at one scan; :raises AssertionError: the property does not hold."""
        gap_s = now - self._last_at
        self._last_at = now
        self._look_at_exhaust(reading, now)
        self._look_at_work(reading, now, state)
        self._look_at_switches(reading, now, 1 if gap_s <= USUAL_GAP_S else 2)
        self._look_at_water(reading, now)
        self._look_at_reset(reading, now)
        if self._not_ok() or gap_s > LONGEST_GAP_S:
            self._trip_at = now
        if not (outputs.k2 or outputs.pulse):
            self._on_since = None
            self._off_at = now
            return
        assert outputs.k2, "a pulse without K2"
        assert gap_s <= LONGEST_GAP_S, f"on after a stall of {gap_s:.3f} s"
        if self._on_since is None:
            self._on_since = now
            self.switched_on += 1
            self._switching_on(now)
        self._being_on(now, state)
        if outputs.pulse:
            unread = set(self._pins) - set(reading.levels) - {InputRole.FLOW}
            assert not unread, "a pulse for an unread input"

    def _is_safe(self, role: InputRole, reading: Reading) -> bool:
        level = reading.levels.get(role)
        return level is not None and level == self._pins[role].safe_high

    def _look_at_switches(self, reading: Reading, now: float, weight: int) -> None:
        for role in SWITCHES:
            safe = self._is_safe(role, reading)
            self._unsafe_scans[role] = 0 if safe else self._unsafe_scans[role] + weight
        for role in FEEDBACKS:
            if not self._is_safe(role, reading):
                self._pulled_in_at[role] = now

    def _look_at_exhaust(self, reading: Reading, now: float) -> None:
        """Add up the time without air; only air for as long as the limit makes it good."""
        passed_s, self._seen_at = now - self._seen_at, now
        safe = self._is_safe(InputRole.EXHAUST, reading)
        self._exhaust_scans = 0 if safe else self._exhaust_scans + 1
        if self._exhaust_scans > 2:
            self._airless_s += passed_s
            self._air_since = now
        elif now - self._air_since > self._times.exhaust_s:
            self._airless_s = 0.0

    def _look_at_work(self, reading: Reading, now: float, state: State) -> None:
        if not self._is_safe(InputRole.ACTIVE, reading):
            self._worked_at = now
        if state is not State.DRAIN:
            self._drains_since = now

    def _look_at_water(self, reading: Reading, now: float) -> None:
        if reading.flow_pulses:
            self._pulses.append((now, reading.flow_pulses))
        while self._pulses and now - self._pulses[0][0] > self._times.flow_low_s + SLACK_S:
            self._pulses.popleft()

    def _look_at_reset(self, reading: Reading, now: float) -> None:
        if not self._is_safe(InputRole.RESET, reading):
            self._press = self._press or Press(now)
        elif self._press is not None:
            self._press.ended = now
            if now - self._press.began > self._times.reset_min_s:
                self._held = self._press
            self._press = None

    def _not_ok(self) -> bool:
        airless = self._exhaust_scans > 2 and self._airless_s >= self._times.exhaust_s
        return airless or max(self._unsafe_scans.values()) >= 2

    # -- what must hold ----------------------------------------------------------------------------

    def _switching_on(self, now: float) -> None:
        held = self._held
        assert held is not None, "on without a press"
        assert held.ended is not None
        assert now - held.ended < 0.3, "on by an old press"
        assert held.began > self._trip_at, "on by a press that began before the trip"
        assert held.began >= self._off_at - (now - held.began), "on by a press of the time before"
        assert held.ended - held.began <= self._times.reset_max_s + SLACK_S, "on by a stuck button"
        assert self._permit is not None, "on without a permit"
        assert now < self._permit[1], "on by a permit that has ended"
        assert self._exhaust_scans == 0, "on without exhaust"
        self._armed_use = self._permit[0]
        self._held = None

    def _being_on(self, now: float, state: State) -> None:
        assert self._trip_at < now, "on although an input is unsafe"
        if self._permit and self._permit[0] == self._armed_use and now < self._permit[1]:
            self._permitted_at = now
        else:
            assert state is State.DRAIN, f"on in {state} without a permit"
            assert now - self._permitted_at <= self._times.drain_s + 2 * SLACK_S, "drains on"
            rested_s = now - max(self._worked_at, self._drains_since)
            assert rested_s <= self._times.idle_drain_s + SLACK_S, "drains at rest"
        assert self._on_since is not None
        on_s = now - self._on_since
        for role, at in self._pulled_in_at.items():
            late_s = min(on_s, now - at)
            assert late_s <= self._times.feedback_s + 2 * SLACK_S, f"on with a dead {role}"
        if on_s > self._times.flow_start_s + SLACK_S:
            assert self._pulses, "on without water"
            assert now - self._pulses[-1][0] <= self._times.flow_gap_s + SLACK_S, "no water"
            count = sum(pulses for _, pulses in self._pulses)
            assert count >= self._enough - 1, "on with little water"
