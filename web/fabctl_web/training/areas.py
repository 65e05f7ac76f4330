"""Every part of the training's pages."""

from __future__ import annotations

from fabctl_web.training import check, desk, path, questions, quiz, rights

AREAS = (path.area, quiz.area, check.area, rights.area, desk.area, questions.area)
