"""The interlocks' history: once each, never changed, read by the staff alone."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update

from fabctl.errors import LocalError
from fabctl.model.refusal import RefusedError
from fabctl.services import interlock_history
from fabctl.services.interlock_history import InterlockEventView, Wanted
from fabctl.services.recording import MachineEvent, record_event
from fabctl.store.tables import InterlockEventRow
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees

TRIP = MachineEvent(
    "mill", "boot1", 1, "interlock-tripped", trouble="lid-open", reason="while at work"
)


def record(lab: Lab, event: MachineEvent) -> bool:
    with lab.database.transaction() as session:
        return record_event(session, lab.clock, event)


def found(lab: Lab, **wanted: object) -> list[InterlockEventView]:
    with lab.database.reading() as session:
        return interlock_history.search(
            session,
            by=lab.awa,
            wanted=Wanted(**wanted),  # type: ignore[arg-type]  # checked by the dataclass's names
        )


def test_an_event_of_an_interlock_is_one_line_however_often_it_is_told(lab: Lab) -> None:
    assert record(lab, TRIP)
    assert not record(lab, TRIP)
    (line,) = found(lab)
    assert (line.machine, line.kind, line.code) == ("mill", "interlock-tripped", "lid-open")
    assert line.happened_at == line.recorded_at == lab.clock.now()


def test_the_machines_time_counts_where_its_clock_was_right(lab: Lab) -> None:
    earlier = lab.clock.now() - timedelta(minutes=5)
    record(lab, replace(TRIP, at=earlier, synced=True))
    record(lab, replace(TRIP, at=earlier, synced=False, seq=2))
    record(lab, replace(TRIP, at=lab.clock.now() + timedelta(days=1), synced=True, seq=3))
    assert {line.seq: line.happened_at for line in found(lab)} == {
        1: earlier,
        2: lab.clock.now(),
        3: lab.clock.now(),
    }


def test_lines_are_found_by_machine_kind_words_and_time(lab: Lab) -> None:
    for seq, minutes in enumerate((0, 10, 20), start=1):
        at = lab.clock.now() + timedelta(minutes=minutes)
        lab.clock.advance(minutes * 60)
        record(lab, replace(TRIP, seq=seq, at=at, reason=f"reason {seq} 100%_"))
    record(lab, replace(TRIP, machine="printer-a", kind="interlock-fault", trouble="k1-welded"))
    assert [line.seq for line in found(lab, machine="mill")] == [3, 2, 1]
    assert [line.code for line in found(lab, kind="interlock-fault")] == ["k1-welded"]
    assert [line.seq for line in found(lab, words="REASON 2")] == [2]
    assert [line.seq for line in found(lab, words="0%_")] == [3, 2, 1]
    assert found(lab, words="%") != []
    assert found(lab, words="reason%1") == []
    now = lab.clock.now()
    assert [line.seq for line in found(lab, since=now, machine="mill")] == [3]
    assert [line.seq for line in found(lab, before=now, machine="mill")] == [2, 1]


def test_only_the_staff_reads(lab: Lab) -> None:
    record(lab, TRIP)
    with lab.database.reading() as session:
        for person in (lab.lea, lab.noemie):
            assert not interlock_history.may_read(session, person)
            with pytest.raises(RefusedError) as searching:
                interlock_history.search(session, by=person, wanted=Wanted())
            with pytest.raises(RefusedError) as exporting:
                interlock_history.export_csv(session, by=person, wanted=Wanted())
            for refused in (searching, exporting):
                assert refused.value.codes == {"not-allowed-to-read"}
        assert interlock_history.may_read(session, lab.awa)


def test_the_export_is_csv_oldest_first_and_holds_no_formula(lab: Lab) -> None:
    record(lab, replace(TRIP, reason='=cmd|"/c calc"!A1'))
    lab.clock.advance(60)
    record(lab, replace(TRIP, seq=2, kind="interlock-permit-refused", count=7, reason="a, b\nc"))
    with lab.database.reading() as session:
        written = "".join(interlock_history.export_csv(session, by=lab.awa, wanted=Wanted()))
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert [row["seq"] for row in rows] == ["1", "2"]
    assert rows[0]["reason"] == '\'=cmd|"/c calc"!A1'
    assert (rows[1]["count"], rows[1]["reason"]) == ("7", "a, b\nc")
    assert rows[0]["happened_at"].endswith("+00:00")


@pytest.mark.parametrize(
    "statement",
    [update(InterlockEventRow).values(code="nothing"), delete(InterlockEventRow)],
    ids=["update", "delete"],
)
def test_the_history_only_grows(lab: Lab, statement: object) -> None:
    record(lab, TRIP)
    with pytest.raises(LocalError, match="only grows"), lab.database.transaction() as session:
        session.execute(statement)  # type: ignore[call-overload]  # an update or a delete
    assert [line.code for line in found(lab)] == ["lid-open"]


def test_the_history_cannot_be_emptied_in_postgresql(lab: Lab) -> None:
    if lab.database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(LocalError, match="only grows"), lab.database.transaction() as session:
        session.execute(text("TRUNCATE interlock_event"))


def test_control_without_the_triggers_a_line_can_be_deleted(lab: Lab) -> None:
    record(lab, TRIP)
    drop_guarantees(lab.database)
    with lab.database.transaction() as session:
        session.execute(delete(InterlockEventRow))
    assert found(lab) == []
