"""Asking a machine for something on behalf of a person, for the pages and for the API alike."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from fabctl.errors import FabError, UnknownIdError
from fabctl.messaging.payloads import Answer
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import Text, text
from fabctl.services import clearing, jobs, uses, using
from fabctl.services.audit import audit
from fabctl.services.people import PersonView
from fabctl.services.uses import UseView
from fabctl_web.lab import Lab

_LOG = logging.getLogger("fabctl.web")

MAY_NOT_RESUME = Refusal(
    "not-your-job",
    text("This job belongs to somebody else."),
    text("Ask its owner or the staff to go on with it."),
)
NOTHING_RUNS = Refusal(
    "no-job",
    text("No job is on this machine."),
    text("Nothing needs to be done."),
)
NO_INTERLOCK = Refusal(
    "no-interlock",
    text("This machine has no interlock: nobody needs to say when they begin."),
    text("Start your job."),
)
NOT_ON_MACHINE = Refusal(
    "job-not-on-machine",
    text("This job is not on a machine now."),
    text("Look at the job's state."),
)


def start(lab: Lab, job_id: str, person: PersonView) -> Answer:
    """Start a prepared job: open its use, ask the machine, put its answer on record.

    :raises RefusedError: every reason against it; nothing was sent.
    :raises UnknownIdError: no such job.
    """
    with lab.db.reading() as db:
        machine = jobs.get_job(db, job_id).resource_id
    with lab.db.transaction() as db:
        order = jobs.open_use(
            db,
            lab.clock,
            lab.config.time_zone,
            job_id=job_id,
            person_id=person.id,
            machine_state=lab.machine(machine).state,
        )
    answer = lab.requests.send(machine, "start", order.body)
    with lab.db.transaction() as db:
        jobs.start_answered(
            db,
            lab.clock,
            job_id=job_id,
            accepted=answer.accepted,
            code=answer.code,
            reason=answer.reason,
        )
    lab.hub.note(machine)
    return answer


def begin(lab: Lab, machine: str, person: PersonView) -> UseView:
    """Open a use without a job: while it lasts, the steward issues permits for the interlock.

    Nothing moves by it: the machine is armed by its own green button, never from here.
    A second time while it is open: the same use.

    :raises RefusedError: every reason against it.
    """
    if machine not in lab.config.interlocks:
        raise RefusedError([NO_INTERLOCK])
    state = lab.machine(machine).state
    with lab.db.transaction() as db:
        use = using.begin_use(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=machine,
            machine_state=state,
        )
    lab.hub.note(machine)
    return use


def finish(lab: Lab, machine: str, person: PersonView) -> None:
    """Close the use that :func:`begin` opened, then take the permit back at once.

    An answer is not waited for to count: without renewal the permit ends within 10 s.

    :raises RefusedError: somebody else's use, or one that ends with its job.
    """
    with lab.db.transaction() as db:
        found = uses.open_use_on(db, resource_id=machine)
        if found is not None:
            using.finish_use(db, lab.clock, use_id=found.id, by=person.id)
    lab.requests.send(machine, "drop-permit", {"by": person.id})
    lab.hub.note(machine)


def pause(lab: Lab, machine: str, person: PersonView | None, job: str | None = None) -> Answer:
    """Pause what runs (only ``job``, if named). Anyone may: it only takes away."""
    return _take_away(lab, machine, "pause", person, job)


def stop(lab: Lab, machine: str, person: PersonView | None, job: str | None = None) -> Answer:
    """Stop what runs (only ``job``, if named), heaters off. Anyone may, like pausing."""
    return _take_away(lab, machine, "stop", person, job)


def _take_away(
    lab: Lab, machine: str, verb: str, person: PersonView | None, job: str | None
) -> Answer:
    """Ask at once, whatever the database does; then put on record who asked, if somebody did."""
    answer = lab.requests.send(machine, verb, _asked_by(person, job))
    if person is None:
        return answer
    try:
        with lab.db.transaction() as db:
            _note(lab, db, machine, verb, person, {"job": job, "answer": answer.code})
    except (FabError, SQLAlchemyError) as error:  # its own words may hold ids
        _LOG.warning(
            "%s: who asked for %s is not on record: %s", machine, verb, type(error).__name__
        )
    return answer


def _note(
    lab: Lab, db: Session, machine: str, verb: str, person: PersonView, said: dict[str, str | None]
) -> None:
    """Put on record who asked: whom the machine names later is only its word."""
    details = {name: value for name, value in said.items() if value is not None}
    audit(db, lab.clock, person.id, f"{verb}.asked", f"machine:{machine}", details)


def _asked_by(person: PersonView | None, job: str | None) -> dict[str, object]:
    body: dict[str, object] = {"by": person.id if person else None}
    return body | ({"job": job} if job else {})


def resume(lab: Lab, machine: str, person: PersonView, *, at_machine: bool = False) -> Answer:
    """Go on with the paused job: its owner or the staff.

    :param at_machine: this is the lab's own screen. An interlocked machine goes on from there, or
        within a minute of its green button (decision 0143); its process decides.
    :raises RefusedError: somebody else's job, or none.
    """
    job_id = lab.machine(machine).job
    if job_id is None:
        raise RefusedError([NOTHING_RUNS])
    with lab.db.transaction() as db:
        try:
            allowed = jobs.may_control(db, person.id, job_id, "resume")
        except UnknownIdError:  # not of this database: nobody here owns it
            allowed = False
        if not allowed:
            raise RefusedError([MAY_NOT_RESUME])
        _note(lab, db, machine, "resume", person, {"job": job_id})
    body = _asked_by(person, job_id) | {"at_machine": at_machine}
    return lab.requests.send(machine, "resume", body)


def clear(lab: Lab, machine: str, person: PersonView) -> Answer:
    """Tell a broken machine that a person has looked at it. Nothing starts by it.

    :raises RefusedError: this person may not.
    """
    with lab.db.transaction() as db:
        against = clearing.may_clear(db, lab.clock, person_id=person.id, resource_id=machine)
        if against:
            raise RefusedError(against)
        _note(lab, db, machine, "clear", person, {})
    return lab.requests.send(machine, "clear", {"by": person.id})


ANSWERS = {
    "no-answer": text("The machine does not answer. Look at it before you try again."),
    "no-broker": text("The lab's messages do not get through. Tell the staff."),
    "machine-busy": text("A job is already on this machine."),
    "machine-broken": text("Something happened on this machine that a person must look at."),
    "machine-offline": text("This machine is not connected."),
    "machine-blocked": text("This machine's safety chain keeps it blocked."),
    "no-job": text("No job is on this machine."),
    "other-job": text("Another job is on this machine by now."),
    "machine-pausing": text("This machine is still coming to rest. Wait until it is paused."),
    "machine-stopping": text("The job on this machine is being stopped."),
    "not-paused": text("This machine is not paused."),
    "not-broken": text("This machine is in order: there is nothing to release."),
    "not-authentic": text("The machine did not accept this program's key. Tell the staff."),
    "local-fault": text("The machine's computer cannot write to its disk. Tell the staff."),
    "interlock-not-armed": text(
        "The interlock is not armed. Press the green button on the machine."
    ),
    "interlock-locked": text(
        "Nobody has said “I begin” on this machine. Do so, then press the green button."
    ),
    "interlock-draining": text(
        "The permission to use this machine has ended. Wait until what runs is over."
    ),
    "interlock-tripped": text(
        "The interlock has cut the machine off. Put that right, then press the green button."
    ),
    "interlock-starting": text(
        "The interlock tests itself. Open the lid or door once, then close it."
    ),
    "interlock-fault": text(
        "The interlock has found a fault. Do not use this machine. Tell the staff."
    ),
    "interlock-unknown": text(
        "Nobody knows what the interlock is doing. If this stays, tell the staff."
    ),
    "no-interlock": text("This machine has no interlock."),
    "not-beside-machine": text(
        "Go on from the lab's screen beside the machine. Or open the lid or door, close it, press "
        "the green button, then go on within a minute."
    ),
}
"""Codes of :mod:`fabctl.hosting.machine_states` and :mod:`fabctl.messaging.requests`."""
REFUSED = text("The machine said no. Look at its state, then try again.")


def answer_text(answer: Answer) -> Text:
    """Return a machine's "no" in plain words."""
    return ANSWERS.get(answer.code, REFUSED)


def answer_refusal(answer: Answer) -> Refusal:
    """Return a machine's "no" as a refusal, for the API."""
    return Refusal(answer.code, answer_text(answer), text("Look at the machine."))
