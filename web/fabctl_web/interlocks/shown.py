"""One machine's interlock as everybody sees it: its state, what to do, every input. No names."""

from __future__ import annotations

from dataclasses import dataclass, field

from fabctl.interlock import InputCondition, InputRole, InterlockProfile, InterlockState
from fabctl.interlock_causes import UNHEARD_OF
from fabctl.messaging.interlocks import InterlockView
from fabctl_web.board.faces import Look
from fabctl_web.interlocks import words
from fabctl_web.lab import Lab
from fabctl_web.speech import Speech

MINUTE_S = 60.0
ORDER = (InputCondition.FAILED, InputCondition.UNKNOWN, InputCondition.PASSED)
"""What is in the way comes first."""
MARKS = {
    InputCondition.PASSED: ("met", "check"),
    InputCondition.FAILED: ("unmet", "x"),
    InputCondition.UNKNOWN: ("unsure", "circle-question-mark"),
}
TO_BE_ARMED = frozenset({InterlockState.LOCKED, InterlockState.READY, InterlockState.TRIPPED})


@dataclass(frozen=True)
class ShownInput:
    """One input, ready to be shown."""

    role: str
    css: str
    icon: str
    name: str
    word: str
    age: str
    fix: str
    """What to do; empty when it passed."""


@dataclass(frozen=True)
class ShownInterlock:
    """The panel, ready to be shown."""

    machine: str
    state: str
    look: Look
    word: str
    since: str
    meaning: str
    fault: str
    trouble: str
    """That it cannot write to its disk; empty: it can."""
    steps: list[str]
    """What to do next, in this order."""
    first_cause: str
    """What cut the machine off first; kept until it is armed again."""
    permit: str
    inputs: list[ShownInput] = field(default_factory=list)


def interlock_of(lab: Lab, machine: str, speech: Speech) -> ShownInterlock | None:
    """Return a machine's interlock as it is now; None for a machine without one."""
    profile = lab.config.interlocks.get(machine)
    if profile is None:
        return None
    return shown(profile, lab.view.interlock(machine), speech)


def shown(profile: InterlockProfile, view: InterlockView, speech: Speech) -> ShownInterlock:
    """Return what to show of an interlock; all of it unknown when its word is too old."""
    said, look = view.said, words.look_of(view.state)
    return ShownInterlock(
        machine=profile.machine,
        state=view.state,
        look=look,
        word=speech(look.word),
        since=_silence(view, speech) if not view.known else _since(view, said.since_s, speech),
        meaning=speech(words.meaning_of(view.state)),
        fault=speech(words.sentence(said.fault).what) if said.fault else "",
        trouble=speech(words.TROUBLE) if said.trouble else "",
        steps=[speech(step) for step in _steps(profile, view)],
        first_cause=_first_cause(view, speech),
        permit=_permit(view, speech),
        inputs=_inputs(profile, view, speech),
    )


def _steps(profile: InterlockProfile, view: InterlockView) -> list[str]:
    """Return what to do, English, each once: repair what is unsafe, then the way to the start."""
    said = view.said
    if not view.known:
        return [words.NO_NEWS]
    if said.fault or view.state == InterlockState.FAULT:
        return [words.sentence(said.fault or "").next_step, words.CLEARED_AT_THE_MACHINE]
    steps = _repairs(profile, view)
    if view.state == InterlockState.TRIPPED and said.cause and not steps and not said.advice:
        steps.append(words.sentence(said.cause).next_step)
    if said.advice:
        steps.append(words.sentence(said.advice).next_step)
    if view.state in TO_BE_ARMED:
        steps += [] if said.permit else [words.ASK_FOR_PERMISSION]
        steps.append(words.PRESS_GREEN)
    return list(dict.fromkeys(steps))


def _repairs(profile: InterlockProfile, view: InterlockView) -> list[str]:
    failed = [
        role for role in profile.inputs if view.condition(role).condition is InputCondition.FAILED
    ]
    fixes = (words.input_words(role, profile.kind).fix for role in failed)
    return [fix for fix in fixes if fix]


def _first_cause(view: InterlockView, speech: Speech) -> str:
    code = view.said.first_cause or view.said.cause
    return speech(words.sentence(code).what) if code else ""


def _permit(view: InterlockView, speech: Speech) -> str:
    permit = view.said.permit
    if permit is None:
        return ""
    left = max(0.0, permit.left_s - (view.age_s or 0.0))
    return speech("Permission for {seconds} s more; it renews itself.", seconds=round(left))


def _inputs(
    profile: InterlockProfile, view: InterlockView, speech: Speech
) -> list[ShownInput]:  # fmt: skip
    roles = sorted(profile.inputs, key=lambda role: ORDER.index(view.condition(role).condition))
    return [_input(profile, view, role, speech) for role in roles]


def _input(
    profile: InterlockProfile, view: InterlockView, role: InputRole, speech: Speech
) -> ShownInput:
    found = view.condition(role)
    known = words.input_words(role, profile.kind)
    css, icon = MARKS[found.condition]
    word = {
        InputCondition.PASSED: known.passed,
        InputCondition.FAILED: known.failed,
        InputCondition.UNKNOWN: known.unknown,
    }[found.condition]
    fixes = {
        InputCondition.PASSED: "",
        InputCondition.FAILED: known.fix or UNHEARD_OF.next_step,
        InputCondition.UNKNOWN: words.NO_NEWS if view.known else "",
    }
    fix = fixes[found.condition]
    return ShownInput(
        role=role.value,
        css=css,
        icon=icon,
        name=speech(known.name),
        word=speech(word),
        age=_since(view, found.age_s, speech),
        fix=speech(fix) if fix else "",
    )


def _since(view: InterlockView, age_s: float | None, speech: Speech) -> str:
    """Return since when something is so: whole minutes, so that nothing changes every second."""
    if age_s is None:
        return ""
    whole = age_s + (view.age_s or 0.0)
    if whole < MINUTE_S:
        return speech("just now")
    return speech("for {time}", time=speech.lasting(whole - whole % MINUTE_S))


def _silence(view: InterlockView, speech: Speech) -> str:
    if view.age_s is None:
        return speech("No news yet")
    if view.age_s < MINUTE_S:
        return speech("No news for some seconds")
    return speech("No news for {time}", time=speech.lasting(view.age_s))
