"""Who people are to a lab: their role, and what a login, a password and a PIN must look like."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from itertools import pairwise

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

PIN_DIGITS = 6
PASSWORD_MIN = 8
PASSWORD_MAX = 200
"""Characters. The upper end only keeps somebody from sending a book to be hashed."""

NAME_MAX = 100
"""Characters."""

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


class Role(StrEnum):
    """What somebody may do in the lab besides using machines."""

    MEMBER = "member"
    TRAINER = "trainer"
    ANIMATOR = "animator"
    STAFF = "staff"
    ADMIN = "admin"

    @property
    def acts_for_others(self) -> bool:
        """Whether this role books, cancels and resumes for other people."""
        return self in {Role.ANIMATOR, Role.STAFF, Role.ADMIN}


def clean_name(name: str) -> str:
    """Return the name as it is kept: composed characters (NFC), single blanks."""
    return " ".join(part for part in unicodedata.normalize("NFC", name).split(" ") if part)


def search_name(name: str) -> str:
    """Return a name as it is searched and ordered: no accents, no capitals."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))


def name_refusals(name: str) -> list[Refusal]:
    """Say what is wrong with a name (already cleaned): 1 to 100 characters of any script.

    Emoji and right-to-left names are fine. What cannot be seen is not: line ends, control
    characters, and those that turn the direction of all that follows (Unicode UAX 9, embeddings,
    overrides and isolates): a name is shown inside other people's sentences.
    """
    if not any(unicodedata.category(one)[0] in "LNS" for one in name):
        return [name_missing()]
    if len(name) > NAME_MAX:
        return [
            Refusal(
                "name-too-long",
                text("A name has at most {most} characters.", most=NAME_MAX),
                text("A first name is enough."),
            )
        ]
    return [_name_hidden()] if hides_characters(name) else []


def hides_characters(name: str) -> bool:
    """Say whether a name holds what :func:`name_refusals` does not allow to be hidden in it."""
    return any(
        unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} or one in TURNING for one in name
    )


TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the order of what follows: in a name, never for a good reason."""


def _name_hidden() -> Refusal:
    return Refusal(
        "name-hidden-characters",
        text("This name holds characters that nobody can see."),
        text("Type the name again, on one line."),
    )


def clean_login(login: str) -> str:
    """Return the login as it is kept and compared: without blanks around it, lower case."""
    return login.strip().casefold()


def login_refusals(login: str) -> list[Refusal]:
    """Say what is wrong with a login (already cleaned): 1 to 64 of ``a-z 0-9 . _ @ + -``."""
    if _LOGIN.fullmatch(login):
        return []
    return [
        Refusal(
            "login-malformed",
            text("A login has 1 to 64 characters: a to z, 0 to 9, and . _ @ + -"),
            text("Choose another login."),
        )
    ]


def password_refusals(password: str) -> list[Refusal]:
    """Say what is wrong with a password: 8 to 200 characters, any of them."""
    if PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        return []
    return [
        Refusal(
            "password-length",
            text(
                "A password has {least} to {most} characters.",
                least=PASSWORD_MIN,
                most=PASSWORD_MAX,
            ),
            text("Three or four words in a row are long and easy to keep in mind."),
        )
    ]


def pin_refusals(pin: str) -> list[Refusal]:
    """Say what is wrong with a PIN: six digits, not all the same, not counting up or down."""
    if not (len(pin) == PIN_DIGITS and pin.isascii() and pin.isdigit()):
        return [
            Refusal(
                "pin-malformed",
                text("A PIN has {digits} digits.", digits=PIN_DIGITS),
                text("Type {digits} digits.", digits=PIN_DIGITS),
            )
        ]
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return [pin_not_possible()] if steps in ({0}, {1}, {9}) else []


def pin_not_possible() -> Refusal:
    """Return the one refusal for a PIN that is too plain and for one that is taken.

    They sound the same on purpose: "taken" would hand out somebody else's PIN.
    """
    return Refusal(
        "pin-not-possible",
        text("This PIN cannot be used."),
        text("Choose another PIN, not a row such as 123456."),
    )


def login_taken() -> Refusal:
    """Return the refusal for a login that somebody else has."""
    return Refusal(
        "login-taken", text("Somebody else has this login."), text("Choose another login.")
    )


def login_missing() -> Refusal:
    """Return the refusal for a password without a login."""
    return Refusal(
        "login-missing", text("A password needs a login."), text("Choose a login as well.")
    )


def name_missing() -> Refusal:
    """Return the refusal for a person without a name."""
    return Refusal(
        "name-missing",
        text("A person needs a name."),
        text("A first name is enough."),
    )


def language_unknown() -> Refusal:
    """Return the refusal for a language without a catalogue."""
    return Refusal(
        "language-unknown", text("The lab does not speak this language."), text("One of: fr, en.")
    )


def own_role() -> Refusal:
    """Return the refusal for somebody who would change their own role or suspend themselves."""
    return Refusal(
        "own-role",
        text("Nobody does this to their own account."),
        text("Ask somebody else of the staff."),
    )


def admin_only() -> Refusal:
    """Return the refusal for staff who would make, change or suspend staff."""
    return Refusal(
        "admin-only",
        text("Only an administrator decides about the staff."),
        text("Ask an administrator of the lab."),
    )


def erasing_is_the_admins() -> Refusal:
    """Return the refusal for whoever would erase a person and is no admin."""
    return Refusal(
        "admin-only",
        text("Only an administrator erases somebody's data."),
        text("Ask an administrator of the lab."),
    )


def uses_a_machine() -> Refusal:
    """Return the refusal to erase somebody who uses a machine."""
    return Refusal(
        "uses-a-machine",
        text("This person uses a machine now."),
        text("Erase their data when it is released."),
    )


def last_admin() -> Refusal:
    """Return the refusal to leave a lab without an administrator."""
    return Refusal(
        "last-admin",
        text("This is the lab's only administrator."),
        text("Make somebody else an administrator first."),
    )
