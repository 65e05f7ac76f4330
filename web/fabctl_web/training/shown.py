"""What pages say of a course and of where somebody stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabctl.model.certification import Standing
from fabctl.model.practical import told
from fabctl.model.training import CourseStep, language_for, warning_due
from fabctl.services.certifications import CertificationView
from fabctl.services.courses import CourseView
from fabctl.services.practical import Trainer, criteria_of, holds_already
from fabctl.services.training import Progress
from fabctl.services.workshops import SessionView
from fabctl_web.lab import Lab
from fabctl_web.people.own import STANDING_WORDS
from fabctl_web.speech import Speech


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


STEP_WORDS = {
    CourseStep.PREREQUISITES: _("Certified before"),
    CourseStep.QUIZ: _("Quiz"),
    CourseStep.PRACTICAL: _("Practical check"),
    CourseStep.FIRST_JOB: _("First job with a trainer"),
}
NOT_YET = _("Not yet")
LOOKS = {
    Standing.VALID: ("badge-check", "free"),
    Standing.SUPERVISED: ("users-round", "reserved"),
    Standing.NONE: ("graduation-cap", "silent"),
    Standing.EXPIRED: ("clock", "blocked"),
    Standing.SUSPENDED: ("ban", "broken"),
}
"""How a standing is shown: the icon, and the pattern of the edge."""


@dataclass(frozen=True)
class Step:
    """One step of a course. ``mark``: ``done``, ``now``, ``later``; empty: of nobody."""

    step: CourseStep
    word: str
    mark: str
    icon: str


@dataclass(frozen=True)
class Stand:
    """Where somebody stands in a course, ready to be shown."""

    progress: Progress
    word: str
    icon: str
    css: str
    until: str
    """Until when the certification holds; empty: for ever, or it does not hold."""
    holds: bool
    """Whether they hold what the course certifies, from wherever."""
    ends_soon: bool


@dataclass(frozen=True)
class Shown:
    """One course, ready to be shown."""

    id: str
    title: str
    told: str
    criteria: tuple[str, ...]
    machines: tuple[str, ...]
    before: tuple[str, ...]
    """Names of the machines on which one is certified before."""
    steps: tuple[Step, ...]
    course: CourseView
    stand: Stand | None = None
    trainers: tuple[Trainer, ...] = ()
    sessions: tuple[SessionView, ...] = field(default_factory=tuple)

    @property
    def next(self) -> CourseStep | None:
        """Return the step that is to be done now; None: none, or nobody is asked about."""
        return None if self.stand is None or self.stand.holds else self.stand.progress.next


def shown(
    course: CourseView,
    names: Mapping[str, str],
    speech: Speech,
    *,
    stand: Stand | None = None,
    trainers: tuple[Trainer, ...] = (),
    sessions: tuple[SessionView, ...] = (),
) -> Shown:
    """Return a course in the language of ``speech``, or in one that there is."""
    language = language_for(speech.language, course.wording.keys())
    described = course.wording[language].description if language else ""
    return Shown(
        id=course.id,
        title=course.title(speech.language),
        told=told(described),
        criteria=criteria_of(course, language),
        machines=tuple(names.get(one, one) for one in course.resource_ids),
        before=tuple(names.get(one, one) for one in course.prerequisites),
        steps=steps(course, stand.progress if stand else None, speech),
        course=course,
        stand=stand,
        trainers=trainers,
        sessions=sessions,
    )


def steps(course: CourseView, stands: Progress | None, speech: Speech) -> tuple[Step, ...]:
    """Return the steps of a course; the first is left out where nothing comes before."""
    return tuple(
        _step(step, stands, speech)
        for step in course.rules.steps
        if step is not CourseStep.PREREQUISITES or course.prerequisites
    )


def _step(step: CourseStep, stands: Progress | None, speech: Speech) -> Step:
    word = speech(STEP_WORDS[step])
    if stands is None:
        return Step(step, word, "", "")
    if step in stands.done:
        return Step(step, word, "done", "circle-check")
    mark, icon = ("now", "arrow-right") if step is stands.next else ("later", "lock")
    return Step(step, word, mark, icon)


def standing_of(
    lab: Lab,
    course: CourseView,
    progress: Progress,
    held: Mapping[str, CertificationView],
    speech: Speech,
) -> Stand:
    """Return where somebody stands; of several machines, the certification that ends first."""
    holds = holds_already(course, held)
    found, word = progress.standing, STANDING_WORDS[progress.standing]
    if not holds and found is Standing.VALID:  # a lower level than this course's
        found, word = Standing.NONE, NOT_YET
    icon, css = LOOKS[found]
    ends = [one.expires_at for one in map(held.get, course.resource_ids) if one and one.expires_at]
    now = lab.clock.now()
    end = min(ends) if ends and holds else None
    return Stand(
        progress=progress,
        word=speech(word),
        icon=icon,
        css=css,
        until=speech("until {time}", time=speech.day(end, now)) if end else "",
        holds=holds,
        ends_soon=end is not None and warning_due(end, now),
    )
