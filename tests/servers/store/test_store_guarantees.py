"""What the database itself refuses, whatever a service forgot; each with its control."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fabctl.errors import LocalError
from fabctl.model.refusal import RefusedError
from fabctl.services import people, recording, tokens
from fabctl.services.audit import lines_about
from fabctl.store.ids import new_id
from fabctl.store.tables import (
    Audit,
    Base,
    Claim,
    Credential,
    Job,
    MachineEventRow,
    Person,
    Use,
)
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees

NINE = datetime.fromisoformat("2026-11-23T09:00:00+00:00")
MOMENT = timedelta(microseconds=1)


def claim(start: int, end: int, resource_id: str = "printer-a", kind: str = "reservation") -> Claim:
    """Return a claim from ``start`` to ``end``, minutes after nine."""
    return Claim(
        id=new_id(),
        resource_id=resource_id,
        kind=kind,
        start_at=NINE + timedelta(minutes=start),
        end_at=NINE + timedelta(minutes=end),
    )


def insert(lab: Lab, *rows: object) -> None:
    with lab.database.transaction() as session:
        for row in rows:
            session.add(row)
            session.flush()


@pytest.mark.parametrize(("start", "end"), [(0, 60), (-30, 1), (59, 90), (20, 40), (-10, 70)])
def test_live_claims_of_any_kind_never_overlap(lab: Lab, start: int, end: int) -> None:
    insert(lab, claim(0, 60))
    with pytest.raises(RefusedError) as refused:
        insert(lab, claim(start, end, kind="maintenance"))
    assert refused.value.codes == {"overlap"}
    with lab.database.reading() as session:
        assert len(session.scalars(select(Claim)).all()) == 1


@pytest.mark.parametrize(
    "other", [claim(60, 90), claim(-30, 0), claim(0, 60, "printer-b")], ids=["after", "before", "b"]
)
def test_touching_claims_and_other_machines_are_fine(lab: Lab, other: Claim) -> None:
    insert(lab, claim(0, 60), other)


def test_a_moment_of_overlap_is_enough(lab: Lab) -> None:
    late = claim(0, 60)
    late.end_at += MOMENT
    insert(lab, late)
    with pytest.raises(RefusedError):
        insert(lab, claim(60, 90))


def test_a_released_claim_is_in_nobodys_way_and_cannot_come_back(lab: Lab) -> None:
    released = claim(0, 60)
    released.released_at = NINE
    insert(lab, released, claim(30, 90))
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        session.execute(update(Claim).where(Claim.id == released.id).values(released_at=None))
    assert refused.value.codes == {"overlap"}


@pytest.mark.parametrize(
    "change",
    [{"start_at": NINE + timedelta(minutes=59)}, {"resource_id": "printer-a"}],
    ids=["time", "resource"],
)
def test_a_claim_cannot_be_moved_onto_another(lab: Lab, change: dict[str, object]) -> None:
    insert(lab, claim(0, 60))
    moving = claim(60, 90) if "start_at" in change else claim(0, 60, "printer-b")
    insert(lab, moving)
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        session.execute(update(Claim).where(Claim.id == moving.id).values(change))
    assert refused.value.codes == {"overlap"}


def test_a_claim_may_be_made_longer_where_it_meets_only_itself(lab: Lab) -> None:
    row = claim(0, 60)
    insert(lab, row)
    with lab.database.transaction() as session:
        longer = NINE + timedelta(minutes=90)
        session.execute(update(Claim).where(Claim.id == row.id).values(end_at=longer))


def test_control_without_the_guarantee_claims_do_overlap(lab: Lab) -> None:
    drop_guarantees(lab.database)
    insert(lab, claim(0, 60), claim(30, 90))


def test_a_claim_ends_after_it_starts(lab: Lab) -> None:
    with pytest.raises(IntegrityError):
        insert(lab, claim(60, 60))


def use(lab: Lab, session: Session, *, closed: bool = False) -> Use:
    """Return a use of printer-a by Léa, with a job of its own, not yet inserted."""
    job = Job(
        id=new_id(),
        resource_id="printer-a",
        person_id=lab.lea,
        name="tag.gcode",
        sha256="0" * 64,
        size=1,
        lines=1,
        commands=1,
        report="{}",
        state="running",
        seq=-1,
        created_at=NINE,
    )
    session.add(job)
    session.flush()
    account = session.execute(
        text("SELECT id FROM account WHERE person_id = :who"), {"who": lab.lea}
    ).scalar_one()
    return Use(
        id=new_id(),
        resource_id="printer-a",
        person_id=lab.lea,
        account_id=account,
        job_id=job.id,
        opened_at=NINE,
        closed_at=NINE if closed else None,
    )


def open_two(lab: Lab) -> None:
    with lab.database.transaction() as session:
        session.add(use(lab, session))
        session.flush()
        session.add(use(lab, session))


def test_one_open_use_per_machine(lab: Lab) -> None:
    with pytest.raises(RefusedError) as refused:
        open_two(lab)
    assert refused.value.codes == {"machine-busy"}


def test_closed_uses_are_many(lab: Lab) -> None:
    with lab.database.transaction() as session:
        for closed in (True, True, False):
            session.add(use(lab, session, closed=closed))
            session.flush()


def test_control_without_the_index_two_uses_are_open(lab: Lab) -> None:
    drop_guarantees(lab.database)
    open_two(lab)


@pytest.mark.parametrize(
    "statement", [update(Audit).values(what="nothing"), delete(Audit)], ids=["update", "delete"]
)
def test_the_audit_trail_only_grows(lab: Lab, statement: object) -> None:
    with pytest.raises(LocalError, match="only grows"), lab.database.transaction() as session:
        session.execute(statement)  # type: ignore[call-overload]  # an update or a delete
    with lab.database.reading() as session:
        assert [line.what for line in lines_about(session, f"person:{lab.awa}")] == ["person.added"]


def test_the_audit_trail_cannot_be_emptied_in_postgresql(lab: Lab) -> None:
    if lab.database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(LocalError, match="only grows"), lab.database.transaction() as session:
        session.execute(text("TRUNCATE audit"))


def test_control_without_the_triggers_a_line_can_be_deleted(lab: Lab) -> None:
    drop_guarantees(lab.database)
    with lab.database.transaction() as session:
        session.execute(delete(Audit))


def test_an_event_is_one_row(lab: Lab) -> None:
    row = {
        "machine": "printer-a",
        "boot": "b",
        "seq": 1,
        "kind": "job-started",
        "synced": True,
        "recorded_at": NINE,
        "body": {},
    }
    with pytest.raises(IntegrityError):
        insert(lab, MachineEventRow(**row), MachineEventRow(**row))


def test_a_login_and_a_pin_belong_to_one_person_each(lab: Lab) -> None:
    def credential(person_id: str, **what: str) -> Credential:
        return Credential(id=new_id(), person_id=person_id, changed_at=NINE, **what)

    insert(lab, credential(lab.lea, kind="password", login="lea", password_hash="x"))
    insert(lab, credential(lab.lea, kind="pin", pin_hash="p"))
    with pytest.raises(RefusedError) as refused:
        insert(lab, credential(lab.karim, kind="password", login="lea", password_hash="x"))
    assert refused.value.codes == {"login-taken"}
    with pytest.raises(RefusedError) as refused:
        insert(lab, credential(lab.karim, kind="pin", pin_hash="p"))
    assert refused.value.codes == {"pin-not-possible"}


def test_foreign_keys_are_kept(lab: Lab) -> None:
    with pytest.raises(IntegrityError):
        insert(lab, claim(0, 60, "no-such-machine"))


def test_a_refused_transaction_leaves_nothing(lab: Lab) -> None:
    line = Audit(at=NINE, who=None, what="test", subject="test:1", details={})
    with pytest.raises(RefusedError):
        insert(lab, line, claim(0, 60), claim(0, 60))
    with lab.database.reading() as session:
        assert session.scalars(select(Claim)).all() == []
        assert lines_about(session, "test:1") == []


def test_instants_come_back_as_they_went_in_aware_and_in_utc(lab: Lab) -> None:
    paris = datetime.fromisoformat("2026-10-25T02:30:00.123456+02:00")
    row = claim(0, 60)
    row.start_at, row.end_at = paris, paris + timedelta(hours=1)
    insert(lab, row)
    with lab.database.reading() as session:
        found = session.get_one(Claim, row.id)
    assert (found.start_at, str(found.start_at.tzinfo)) == (paris, "UTC")


def test_a_naive_instant_is_refused(lab: Lab) -> None:
    row = claim(0, 60)
    row.start_at = row.start_at.replace(tzinfo=None)
    with pytest.raises(Exception, match="without a zone"):
        insert(lab, row)


def test_a_reading_session_cannot_write(lab: Lab) -> None:
    with pytest.raises(LocalError, match=r"only be read|may not be written"):
        people_added_while_reading(lab)


def people_added_while_reading(lab: Lab) -> None:
    with lab.database.reading() as session:
        people.add_person(session, lab.clock, display_name="Tom")


def test_after_reading_the_same_connection_writes_again(lab: Lab) -> None:
    for number in range(3):
        with lab.database.reading() as session:
            people.list_people(session)
        insert(lab, claim(number * 60, number * 60 + 60))


def test_no_secret_is_stored_as_it_is(lab: Lab) -> None:
    with lab.database.transaction() as session:
        people.set_password(
            session,
            lab.clock,
            person_id=lab.lea,
            login="lea",
            password="a long password",
            by="shell:test",
        )
        people.set_pin(
            session, lab.clock, person_id=lab.lea, pin="402817", secret=b"lab", by="shell:test"
        )
        _, token = tokens.create_token(session, lab.clock, person_id=lab.lea, name="n")
    with lab.database.reading() as session:
        everything = str([session.execute(select(table)).all() for table in SECRETIVE])
    assert all(secret not in everything for secret in ("a long password", "402817", token))
    assert "argon2id" in everything


SECRETIVE = [Base.metadata.tables[name] for name in ("credential", "api_token", "audit")]


def test_an_event_is_recorded_with_a_person_nobody_knows(lab: Lab) -> None:
    event = recording.MachineEvent("printer-a", "b", 1, "job-paused", by="somebody-gone")
    with lab.database.transaction() as session:
        assert recording.record_event(session, lab.clock, event)
        assert session.get(Person, "somebody-gone") is None
