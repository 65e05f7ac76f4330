"""Uses without a job, permits for them, and the working time that the interlock counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.booking_facts import PARIS
from fabctl.model.refusal import RefusedError
from fabctl.services import permits, recording, uses, using
from fabctl.services.access import may_use
from fabctl.services.certifications import suspend
from fabctl.services.machines import set_out_of_order
from fabctl.services.permits import SERIALS_AT_ONCE, Permission
from fabctl.services.recording import MachineEvent
from fabctl.services.uses import UseView
from tests.servers.store.conftest import Lab
from tests.servers.store.jobs_at_work import answer, ask, book_now, hear, prepare, uses_of

MACHINE = "printer-a"


def begin(lab: Lab, person: str, state: str = "idle") -> UseView:
    with lab.database.transaction() as session:
        return using.begin_use(
            session, lab.clock, PARIS, person_id=person, resource_id=MACHINE, machine_state=state
        )


def finish(lab: Lab, use: UseView, by: str) -> None:
    with lab.database.transaction() as session:
        using.finish_use(session, lab.clock, use_id=use.id, by=by)


def permissions(lab: Lab) -> list[Permission]:
    with lab.database.reading() as session:
        return permits.permissions(session, lab.clock, PARIS, frozenset({MACHINE}))


def open_use(lab: Lab) -> UseView | None:
    with lab.database.reading() as session:
        return uses.open_use_on(session, resource_id=MACHINE)


def latest(lab: Lab) -> UseView:
    with lab.database.reading() as session:
        return uses.uses_of_resource(session, resource_id=MACHINE, limit=1)[0]


def codes(lab: Lab) -> list[str]:
    (found,) = permissions(lab)
    return [refusal.code for refusal in found.refusals]


@pytest.fixture
def use(lab: Lab) -> UseView:
    """Léa uses printer-a, which she has reserved for two hours."""
    book_now(lab, lab.lea)
    return begin(lab, lab.lea)


def test_a_use_is_open_from_start_using_to_finish(lab: Lab, use: UseView) -> None:
    assert open_use(lab) == use
    assert (use.job_id, use.reservation_id is None, use.ran_s) == (None, False, None)
    lab.clock.advance(60)
    finish(lab, use, lab.lea)
    assert open_use(lab) is None
    assert latest(lab).closed_at == use.opened_at + timedelta(seconds=60)
    assert latest(lab).outcome == "finished"
    finish(lab, use, lab.lea)
    assert latest(lab).outcome == "finished"


def test_a_second_tap_opens_nothing_new(lab: Lab, use: UseView) -> None:
    assert begin(lab, lab.lea) == use
    assert begin(lab, lab.lea, state="running") == use


def test_every_reason_against_it_is_told(lab: Lab) -> None:
    with pytest.raises(RefusedError) as refused:
        begin(lab, lab.noemie, state="blocked")
    assert refused.value.codes == {"not-certified", "not-reserved", "machine-blocked"}
    assert open_use(lab) is None


def test_nobody_else_gets_the_machine_meanwhile(lab: Lab, use: UseView) -> None:
    with pytest.raises(RefusedError) as refused:
        begin(lab, lab.karim)
    assert refused.value.codes == {"someone-elses-slot", "machine-busy"}


def test_only_its_person_and_the_staff_finish_it(lab: Lab, use: UseView) -> None:
    with pytest.raises(RefusedError) as refused:
        finish(lab, use, lab.karim)
    assert refused.value.codes == {"not-your-use"}
    finish(lab, use, lab.awa)
    assert latest(lab).outcome == "released"
    with lab.database.transaction() as session, pytest.raises(UnknownIdError):
        using.finish_use(session, lab.clock, use_id="x", by=lab.lea)


def test_a_use_that_is_a_jobs_ends_with_its_job(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    job = prepare(lab, tmp_path, lab.lea)
    ask(lab, job, lab.lea)
    held = open_use(lab)
    assert held is not None
    assert held.job_id == job.id
    with pytest.raises(RefusedError) as refused:
        finish(lab, held, lab.lea)
    assert refused.value.codes == {"job-ends-use"}
    assert open_use(lab) == held


def test_the_command_line_releases_it_with_a_reason(lab: Lab, use: UseView) -> None:
    with lab.database.transaction() as session, pytest.raises(InputError):
        using.release_use(session, lab.clock, use_id=use.id, reason=" ", by="shell:awa")
    for by in (lab.lea, lab.karim, None):
        with lab.database.transaction() as session, pytest.raises(RefusedError) as refused:
            using.release_use(session, lab.clock, use_id=use.id, reason="home", by=by)
        assert refused.value.codes == {"staff-only"}
    with lab.database.transaction() as session:
        using.release_use(session, lab.clock, use_id=use.id, reason="home", by="shell:awa")
    assert latest(lab).outcome == "released"


def test_a_job_runs_within_its_persons_use(lab: Lab, use: UseView, tmp_path: Path) -> None:
    job = prepare(lab, tmp_path, lab.lea)
    assert ask(lab, job, lab.lea).use_id == use.id
    answer(lab, job, accepted=True)
    hear(lab, job, "job-started", 1)
    hear(lab, job, "job-finished", 2)
    assert open_use(lab) == use
    assert uses_of(lab, job) == []


def test_a_refused_start_leaves_the_use_open(lab: Lab, use: UseView, tmp_path: Path) -> None:
    job = prepare(lab, tmp_path, lab.lea)
    ask(lab, job, lab.lea)
    assert answer(lab, job, accepted=False, code="interlock-not-armed").state == "prepared"
    assert open_use(lab) == use


def test_somebody_elses_use_keeps_a_job_away(lab: Lab, use: UseView) -> None:
    with lab.database.reading() as session:
        found = may_use(
            session,
            lab.clock,
            PARIS,
            person_id=lab.karim,
            resource_id=MACHINE,
            machine_state="idle",
        )
    assert {one.code for one in found if one.met is not True} == {
        "machine-busy",
        "someone-elses-slot",
    }


# -- permits -------------------------------------------------------------------------------------


def test_a_permit_names_who_may_do_what_for_ten_seconds(lab: Lab, use: UseView) -> None:
    (found,) = permissions(lab)
    permit = found.permit(boot="b", serial=7, challenge="c")
    assert permit is not None
    assert (permit.machine, permit.person, permit.use) == (MACHINE, lab.lea, use.id)
    assert (permit.boot, permit.serial, permit.challenge, permit.seconds) == ("b", 7, "c", 10.0)


def test_a_jobs_use_gets_permits_too(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    job = prepare(lab, tmp_path, lab.lea)
    order = ask(lab, job, lab.lea)
    (found,) = permissions(lab)
    assert (found.use.id, found.refusals) == (order.use_id, ())


def test_machines_without_an_interlock_get_none(lab: Lab, use: UseView) -> None:
    with lab.database.reading() as session:
        assert permits.permissions(session, lab.clock, PARIS, frozenset({"mill"})) == []


def test_a_suspension_ends_it(lab: Lab, use: UseView) -> None:
    with lab.database.transaction() as session:
        suspend(
            session, lab.clock, person_id=lab.lea, resource_id=MACHINE, reason="fire", by=lab.awa
        )
    assert codes(lab) == ["certification-suspended"]
    assert permissions(lab)[0].permit(boot="b", serial=1, challenge="c") is None


def test_the_reservations_end_ends_it(lab: Lab, use: UseView) -> None:
    lab.clock.advance(7199)
    assert codes(lab) == []
    lab.clock.advance(1)
    assert codes(lab) == ["not-reserved"]


def test_out_of_order_ends_it(lab: Lab, use: UseView) -> None:
    with lab.database.transaction() as session:
        set_out_of_order(session, lab.clock, resource_id=MACHINE, reason="smoke", by=lab.awa)
    assert codes(lab) == ["out-of-order"]


def test_what_permission_leaves_behind_is_closed_once(lab: Lab, use: UseView) -> None:
    lab.clock.advance(7200)
    (found,) = permissions(lab)
    with lab.database.transaction() as session:
        refusals = list(found.refusals)
        assert using.permission_ended(session, lab.clock, use_id=use.id, refusals=refusals)
        assert not using.permission_ended(session, lab.clock, use_id=use.id, refusals=refusals)
    assert latest(lab).outcome == "permission-ended"
    assert permissions(lab) == []


def test_a_jobs_use_is_left_to_its_jobs_end(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    order = ask(lab, prepare(lab, tmp_path, lab.lea), lab.lea)
    with lab.database.transaction() as session:
        assert not using.permission_ended(session, lab.clock, use_id=order.use_id, refusals=[])
    assert open_use(lab) is not None


def test_serials_are_given_once_whatever_the_clock_does(lab: Lab) -> None:
    def reserve() -> range:
        with lab.database.transaction() as session:
            return permits.reserve_serials(session, lab.clock, machine=MACHINE)

    first = reserve()
    assert len(first) == SERIALS_AT_ONCE
    assert first[0] == int(lab.clock.now().timestamp())
    lab.clock.wall -= timedelta(days=1)
    second = reserve()
    assert second[0] == first[-1] + 1
    lab.clock.wall += timedelta(days=2)
    assert reserve()[0] > second[-1]


# -- working time --------------------------------------------------------------------------------


def ran(lab: Lab, use: str, seconds: float | None, seq: int, machine: str = MACHINE) -> None:
    event = MachineEvent(
        machine=machine, boot="b1", seq=seq, kind="interlock-ran", use=use, seconds=seconds
    )
    with lab.database.transaction() as session:
        recording.record_event(session, lab.clock, event)


def test_working_time_adds_up_once_also_after_the_end(lab: Lab, use: UseView) -> None:
    ran(lab, use.id, 61.5, 1)
    ran(lab, use.id, 61.5, 1)
    finish(lab, use, lab.lea)
    ran(lab, use.id, 8.5, 2)
    assert latest(lab).ran_s == 70.0


def test_nonsense_adds_nothing(lab: Lab, use: UseView) -> None:
    ran(lab, use.id, None, 1)
    ran(lab, use.id, -5.0, 2)
    ran(lab, "nobody", 5.0, 3)
    ran(lab, use.id, 5.0, 4, machine="printer-b")
    assert latest(lab).ran_s is None
