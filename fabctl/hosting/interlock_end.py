"""Whether a job that came to its end had the machine's power until then.

The driver tells an end on one line, the interlock a trip on another, and nothing says which comes
first. So an end counts as finished only once the daemon has said, after it, that nothing tripped.
"""

from __future__ import annotations

from fabctl.hosting.interlock_gate import InterlockGate
from fabctl.hosting.interlock_rules import ROWS, Act
from fabctl.interlock import InterlockState as State
from fabctl.ports import JobEnded
from fabctl.units import Seconds

ASK_AGAIN = Seconds(0.5)
KNOWN_WITHIN = Seconds(2.5)
"""The daemon answers within 0.1 s. One that does not may have let go: the job did not finish."""
SCANNED_BEFORE_S = 0.1
"""What it tells may be a scan old, and a scan may be so late without being a trip."""
NOBODY_KNOWS = "Nobody knows whether the interlock let go before the job's end."
_MAY_BE_OVER = frozenset({State.LOCKED, State.READY, State.TRIPPED, State.FAULT})


class LastWord:
    """Asks twice: the second answer is of a scan that began after the first question was read.

    :param event: the end that is not told yet.
    """

    def __init__(self, event: JobEnded, gate: InterlockGate) -> None:
        self.event = event
        self._gate = gate
        self._ended_at = gate.now
        self._rounds = 0
        self._ask()

    def _ask(self) -> None:
        self._rounds += 1
        self._round_at = self._asked_at = self._gate.now
        self._question = self._gate.ask()

    def verdict(self) -> str | None:
        """Return None while nobody knows; an empty text once the end is as it seemed; else one
        English sentence on why the job did not finish.
        """
        now = self._gate.now
        if self._gate.answered >= self._question:
            if self._rounds > 1:
                return self._judge()
            self._ask()
        elif now - self._ended_at > KNOWN_WITHIN:
            return NOBODY_KNOWS
        elif now - self._asked_at > ASK_AGAIN:
            self._asked_at = now
            self._gate.ask()  # the question may have been lost; a later answer is one too
        return None

    def _judge(self) -> str:
        gate, said = self._gate, self._gate.said
        if gate.armed_as_before and ROWS[said.state].act is Act.GO_ON:
            return ""
        is_one_more = gate.armed_as_before or (
            gate.trips_since_armed == 1 and said.state == State.TRIPPED
        )
        since = said.since_s
        if said.state in _MAY_BE_OVER and is_one_more and since is not None:
            happened_at_least = self._round_at - SCANNED_BEFORE_S - since
            if happened_at_least > self._ended_at:
                return ""
        return gate.why if said.state in _MAY_BE_OVER else NOBODY_KNOWS
