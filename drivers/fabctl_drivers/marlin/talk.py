"""A person's own words with the firmware. Pure."""

from __future__ import annotations

from fabctl import ports
from fabctl.errors import InputError
from fabctl_drivers.job_text import sendable_to_marlin
from fabctl_drivers.marlin.answers import Answer, Heard
from fabctl_drivers.marlin.frames import LONGEST_COMMAND

_TONES = {
    Heard.OK: ports.Tone.OK,
    Heard.RESEND: ports.Tone.ERROR,
    Heard.HALT: ports.Tone.ERROR,
    Heard.START: ports.Tone.ERROR,
}


def heard(answer: Answer) -> ports.Heard:
    """Return what the firmware said, for the person to read."""
    text = answer.text.decode("utf-8", "replace")
    tone = _TONES.get(answer.heard, ports.Tone.OTHER)
    if tone is ports.Tone.OTHER and text.startswith("Error:"):
        tone = ports.Tone.ERROR
    elif tone is ports.Tone.OTHER and text.startswith(("echo:", "busy:")):
        tone = ports.Tone.ECHO
    return ports.Heard(text, tone)


def command_of(line: str) -> bytes:
    """Return what is sent for a line that a person typed.

    :raises InputError: nothing is left to send, it is more than one line, or does not fit.
    """
    if "\n" in line or "\r" in line:
        raise InputError("one line at a time")
    command = sendable_to_marlin(line.encode("utf-8"))
    if not command:
        raise InputError("there is nothing to send in this line")
    if command.startswith(b"M110"):
        raise InputError("M110 counts the lines anew, and fabctl counts them itself")
    if len(command) > LONGEST_COMMAND:
        raise InputError(
            f"the line has {len(command)} bytes", limit=f"{LONGEST_COMMAND} bytes for one command"
        )
    return command
