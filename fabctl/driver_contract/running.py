"""Runs the contract on one driver."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from fabctl.driver_contract.bench import Bench
from fabctl.driver_contract.bench_calls import Limits
from fabctl.driver_contract.catalogue import CHECKS
from fabctl.driver_contract.results import (
    Check,
    FailedError,
    NotApplicableError,
    NotReachedError,
    Result,
    State,
)
from fabctl.driver_contract.standin import StandIn
from fabctl.driver_contract.witness import Witness
from fabctl.errors import FabError
from fabctl.ports import DriverFactory

_STATES = {
    FailedError: State.FAILED,
    NotApplicableError: State.NOT_APPLICABLE,
    NotReachedError: State.NOT_REACHED,
}


def run_checks(
    factory: DriverFactory,
    name: str,
    standin: StandIn,
    checks: Sequence[Check] = CHECKS,
    limits: Limits | None = None,
) -> Iterator[Result]:
    """Try every check, each with a driver and a cable of its own; yield what came of it.

    Those that are watched throughout come last: what they saw, they saw during the others.

    :param standin: running.
    """
    witness = Witness()
    for check in checks:
        if check.run is None:
            yield _watched(check, witness)
        else:
            yield _tried(check, factory, name, standin, witness, limits or Limits())


def is_kept(results: Sequence[Result]) -> bool:
    """Whether the driver keeps the contract, as far as it could be tried."""
    kept = {State.PASSED, State.NOT_APPLICABLE}
    tried = any(result.state is State.PASSED for result in results)
    return tried and all(result.state in kept for result in results)


def _tried(
    check: Check,
    factory: DriverFactory,
    name: str,
    standin: StandIn,
    witness: Witness,
    limits: Limits,
) -> Result:
    begun = time.monotonic()
    standin.rest()
    with tempfile.TemporaryDirectory(prefix="dc") as folder:
        bench = Bench(factory, name, standin, Path(folder), witness, limits)
        try:
            state, reason = _judged(check, bench)
        finally:
            bench.settle()
    return Result(check, state, reason, time.monotonic() - begun)


def _judged(check: Check, bench: Bench) -> tuple[State, str]:
    assert check.run is not None  # noqa: S101  # the caller has looked
    try:
        check.run(bench)
    except tuple(_STATES) as error:
        return _STATES[type(error)], str(error)
    except FabError as error:
        return State.NOT_REACHED, f"not foreseen here: {error}"
    return State.PASSED, ""


def _watched(check: Check, witness: Witness) -> Result:
    if wrong := witness.wrong.get(check.name):
        return Result(check, State.FAILED, "; ".join(wrong), 0.0)
    if not witness.seen.get(check.name):
        return Result(check, State.NOT_APPLICABLE, "nothing of the kind was seen", 0.0)
    return Result(check, State.PASSED, "", 0.0)
