"""How a job goes on and how it ends: its lines, its failure, its stop, its last move. Pure."""

from __future__ import annotations

from fabctl.ports import Outcome, Phase, PhaseChanged, Trouble
from fabctl_drivers.grbl.arrival import Aim
from fabctl_drivers.grbl.halt import Stage
from fabctl_drivers.grbl.job import Job
from fabctl_drivers.grbl.job_run import Course, JobRun
from fabctl_drivers.grbl.phases import Move
from fabctl_drivers.grbl.stance import Stance


class Endings(Stance):
    """A machine with a job."""

    def _fill(self, now: float) -> None:
        """Say as many lines as the link takes."""
        run = self._run
        if run is None or self.phase is not Phase.RUNNING:
            return
        wanted = run.wants_report
        run.fill(now)
        if run.is_all_said and run.job.is_check:
            self._all_done(run.job, now)  # nothing moves that could be waited for
        elif run.wants_report and not wanted:
            self._controller.ask_anew(at_once=True)
            self._choose_pace()

    def _goes(self, course: Course, run: JobRun, now: float) -> None:
        if course is Course.DONE:
            self._all_done(run.job, now)
        elif course is Course.LOST:
            self._fail_file(Trouble.NO_ANSWER, f"{run.owing}; it, or its ok, was lost", now)
        elif self._owes is not (course is Course.OWES):
            self._owes = course is Course.OWES
            reason = run.owing if self._owes else None
            self._events.append(PhaseChanged(self.phase, None, reason))
        self._choose_pace()

    def _went_on(self, now: float) -> None:
        if self._job is not None and self._job.is_check:
            return
        if self._run is not None:
            self._run.moved_on(now)
        self._holding.ended()
        self._move(Move.WENT_ON)

    def _fail_file(self, trouble: Trouble, reason: str, now: float) -> None:
        """Hold at once: lines in the buffer still run. The job ends when the machine is safe."""
        if self._job is not None and self.phase is not Phase.STOPPING:
            self._job.failure = (trouble, reason)
            self._move(Move.STOP, trouble, reason)
            self._come_to_a_stop(Aim.STOP, now)

    def _all_done(self, job: Job, now: float) -> None:
        """Every line was answered, and nothing moves any more."""
        failure = job.failure or job.verdict
        if failure is not None:
            self._fail_file(*failure, now)
        elif job.is_check:
            job.ended_at = now
            self._run = None
            self._bring_to_rest(Stage.RESETTING, Aim.CHECKED, now)
        else:
            self._end_job(Outcome.FINISHED, now)
            self._move(Move.FINISHED)

    def _end_safely(self, aim: Aim, now: float) -> None:
        """The banner after our reset was heard: spindle, laser and coolant are off."""
        job = self._job
        if job is not None and job.failure is not None:
            self._end_job(Outcome.FAILED, now, *job.failure)
        elif job is not None and aim is Aim.CHECKED and self.phase is not Phase.STOPPING:
            self._end_job(Outcome.FINISHED, now)
        elif job is not None:
            self._end_job(Outcome.STOPPED, now, reason=job.stop_reason)
