"""A lab's life: what people, staff and the clock do to reservations, in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from sqlalchemy.orm import Session

from fabctl.model.access import unmet
from fabctl.services import accounts, bookings, closures, machines, people, waiting
from fabctl.services.access import may_use
from fabctl.services.certifications import certify, suspend
from tests.servers.store import booking_lab as act
from tests.servers.store import booking_watch as watch
from tests.servers.store.booking_checks import CheckedLab
from tests.servers.store.booking_lab import PARIS
from tests.servers.store.booking_watch import PRINTERS

RESOURCES = (*PRINTERS, "workshop", "kitchen")

people_numbers = st.sampled_from(range(3))
resource_names = st.sampled_from(RESOURCES)
starts = st.integers(0, 24).map(lambda step: step * 5)
lengths = st.integers(1, 18).map(lambda step: step * 5)
picks = st.integers(0, 30)


def with_coming(life: BookingLife) -> bool:
    """Say whether there is a reservation that is not over."""
    return bool(life.seen.coming())


def with_offers(life: BookingLife) -> bool:
    """Say whether something is offered to somebody."""
    return bool(life.waiting(offered=True))


class BookingLife(CheckedLab):
    """Each rule does one thing, and knows what must be refused."""

    @initialize(
        wishes=st.lists(
            st.tuples(people_numbers, resource_names, starts, lengths), min_size=6, max_size=9
        )
    )
    def open_the_lab(self, wishes: list[tuple[int, str, int, int]]) -> None:
        """Begin with some reservations."""
        for person, resource, start, lasts in wishes:
            self.book(person, resource, start, lasts, group=person == 0)

    # -- what people do ---------------------------------------------------------------------------

    @rule(
        person=people_numbers, resource=resource_names, start=starts, lasts=lengths,
        group=st.booleans(),
    )  # fmt: skip
    def book(self, person: int, resource: str, start: int, lasts: int, group: bool) -> None:
        taken = self._taken(resource, start, start + lasts)
        codes = self._try(
            lambda: act.book(
                self.lab, start, start + lasts, person=self.ids[person], resource=resource,
                account=self.group if group else None,
            )
        )  # fmt: skip
        assert ("overlap" in codes) == taken
        assert ("not-acting-for-account" in codes) == (group and person == 2)

    @rule(person=people_numbers, start=starts, lasts=lengths)
    def book_either_printer(self, person: int, start: int, lasts: int) -> None:
        free = [one for one in PRINTERS if not self._taken(one, start, start + lasts)]
        made: list[str] = []
        codes = self._try(lambda: made.append(self._book_any(person, start, start + lasts)))
        assert set(made) <= set(free)
        assert free or "overlap" in codes

    def _book_any(self, person: int, start: int, end: int) -> str:
        who, slot = self.ids[person], act.slot(self.lab, start, end)
        with self.lab.database.transaction() as session:
            return bookings.book_any(
                session, self.lab.clock, PARIS, person_id=who, pool_id="printers",
                start=slot.start, end=slot.end, by=who,
            ).resource_id  # fmt: skip

    @precondition(with_coming)
    @rule(pick=picks, resource=resource_names, start=starts, lasts=lengths)
    def move(self, pick: int, resource: str, start: int, lasts: int) -> None:
        one = self._pick_reservation(pick)
        begun = one.start <= self.lab.clock.now()
        kept = (one.start, one.resource_id) == (act.moment(self.lab, start), resource)
        codes = self._try(lambda: act.move(self.lab, one, start, start + lasts, resource=resource))
        assert ("has-begun" in codes) == (begun and not kept)

    @precondition(with_coming)
    @rule(pick=picks, lasts=st.integers(-2, 18).map(lambda step: step * 5))
    def change_the_end(self, pick: int, lasts: int) -> None:
        one, now = self._pick_reservation(pick), self.lab.clock.now()
        start = (one.start - now).total_seconds() / 60
        codes = self._try(lambda: act.move(self.lab, one, start, lasts))
        assert ("has-begun" in codes) == (one.start <= now and lasts <= 0)

    @precondition(with_coming)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        one = self._pick_reservation(pick)
        assert self._try(lambda: act.cancel(self.lab, one)) == set()

    @precondition(lambda life: life.waited_for())
    @rule(pick=picks)
    def give_up_what_others_wait_for(self, pick: int) -> None:
        found = self.waited_for()
        one = self._view(found[pick % len(found)])
        assert self._try(lambda: act.cancel(self.lab, one)) == set()

    @precondition(with_coming)
    @rule(pick=picks)
    def check_in(self, pick: int) -> None:
        one = self._pick_reservation(pick)
        early = self.lab.clock.now() < one.start - watch.CHECK_IN_BEFORE
        codes = self._try(lambda: act.check_in(self.lab, one))
        assert codes == ({"check-in-too-early"} if early else set())

    @precondition(with_coming)
    @rule(pick=picks)
    def stop(self, pick: int) -> None:
        one = self._pick_reservation(pick)
        codes = self._try(lambda: act.stop(self.lab, one))
        assert codes == ({"not-begun"} if one.start >= self.lab.clock.now() else set())

    @precondition(with_coming)
    @rule(first=st.sampled_from((1, 2)), pick=picks, group=st.booleans())
    def the_others_wait(self, first: int, pick: int, group: bool) -> None:
        """Both others wait for what somebody has, all of it or a bit more."""
        one, now = self._pick_reservation(pick), self.lab.clock.now()
        start = max(0.0, (one.start - now).total_seconds() / 60)
        end = (one.end - now).total_seconds() / 60 + 10 * (pick % 2)
        where = ("workshop", one.resource_id)[pick % 3 > 0]
        account, holder = self.group if group else None, self.ids.index(one.person_id)
        for other in (first, 3 - first):
            self._wait(self.ids[(holder + other) % 3], start, end, where, account)

    def _wait(self, who: str, start: float, end: float, where: str, account: str | None) -> None:
        self._try(lambda: act.wait_for(self.lab, who, start, end, where, account))

    @precondition(with_offers)
    @rule(pick=picks, yes=st.booleans())
    def answer(self, pick: int, yes: bool) -> None:
        offers = self.waiting(offered=True)
        one = offers[pick % len(offers)]
        self._try(lambda: act.accept(self.lab, one) if yes else self._leave(one))

    def _leave(self, one: Any) -> None:
        with self.lab.database.transaction() as session:
            waiting.leave(
                session, self.lab.clock, PARIS, waiting_id=one.id, by=one.person_id
            )  # fmt: skip

    # -- what the staff do ------------------------------------------------------------------------

    @rule(resource=resource_names, start=starts, lasts=st.sampled_from((5, 20)), firm=st.booleans())
    def close(self, resource: str, start: int, lasts: int, firm: bool) -> None:
        self._try(
            lambda: self.closed.append(
                act.close(
                    self.lab, start, start + lasts, resource=resource, cancel_reservations=firm
                )
            )
        )

    @precondition(lambda life: life.closed)
    @rule()
    def reopen(self) -> None:
        one = self.closed.pop()
        with self._doing() as session:
            closures.reopen(session, self.lab.clock, PARIS, closure_id=one, by=self.lab.awa)

    @rule(what=st.sampled_from(("certification", "person", "group", "printer-a", "workshop")))
    def suspend_or_put_in_order(self, what: str) -> None:
        """Put in order what is out of it; else suspend somebody, or stop something."""
        wrong = self.wrong
        with self._doing() as session:
            self._set_order(session, wrong or what, wrong=wrong is None)
        self.wrong = what if wrong is None else None
        with self.lab.database.reading() as session:
            facts = may_use(
                session, self.lab.clock, PARIS, person_id=self.ids[0], resource_id="printer-a",
                machine_state="idle",
            )  # fmt: skip
        codes = {one.code for one in unmet(facts)}
        assert ("account-suspended" in codes) >= (self.wrong == "person")
        assert ("certification-suspended" in codes) == (self.wrong == "certification")
        assert ("out-of-order" in codes) >= (self.wrong in RESOURCES)

    def _set_order(self, session: Session, what: str, *, wrong: bool) -> None:
        clock, by, reason = self.lab.clock, self.lab.awa, "smoke" if wrong else None
        if what == "certification":
            mine: dict[str, Any] = {"person_id": self.ids[0], "resource_id": "printer-a"}
            if wrong:
                suspend(session, clock, reason="x", **mine)
            else:
                certify(session, clock, **mine)
        elif what == "person":
            people.set_suspended(session, clock, person_id=self.ids[0], reason=reason, by=by)
        elif what == "group" and wrong:
            accounts.suspend_group(session, clock, account_id=self.group, reason="x", by=by)
        elif what == "group":
            accounts.restore_group(session, clock, account_id=self.group, by=by)
        else:
            machines.set_out_of_order(session, clock, resource_id=what, reason=reason, by=by)

    # -- what the clock does ----------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 5, 10, 15, 16, 30]))
    def time_passes(self, minutes: int) -> None:
        self.lab.clock.advance(minutes * 60)
        self._look()

    @rule()
    def catch_up(self) -> None:
        act.catch_up(self.lab)
        again = act.catch_up(self.lab)
        assert (again.no_shows, again.lapsed, again.missed, again.offers) == ([], [], [], [])
        self._look()
        self.caught_up = True
