"""Tables of training: courses, quizzes in several languages, checks, and who is in the lab."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.ids import ID_LENGTH
from fabctl.store.tables import Base
from fabctl.store.types import PlainText

_Id = PlainText(ID_LENGTH)
_Count = BigInteger().with_variant(Integer, "sqlite")


class Course(Base):
    """What leads to a certification on its machines."""

    __tablename__ = "course"
    __table_args__ = (
        CheckConstraint("pass_mark BETWEEN 0 AND 100", name="pass_mark"),
        CheckConstraint("expiry_months IS NULL OR expiry_months > 0", name="expiry_months"),
        CheckConstraint("unused_months IS NULL OR unused_months > 0", name="unused_months"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    level: Mapped[str]
    pass_mark: Mapped[int]
    """Percent of the questions."""
    first_job: Mapped[bool]
    expiry_months: Mapped[int | None]
    expiry_on: Mapped[date | None] = mapped_column(Date)
    unused_months: Mapped[int | None]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class CourseWording(Base):
    """A course's title and description in one language."""

    __tablename__ = "course_wording"

    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str]


class CourseResource(Base):
    """A machine that a course certifies on."""

    __tablename__ = "course_resource"

    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), primary_key=True)


class CoursePrerequisite(Base):
    """A machine on which somebody must be certified before they begin a course."""

    __tablename__ = "course_prerequisite"

    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), primary_key=True)


class QuizQuestion(Base):
    """A question of a course's quiz; one that people have answered is retired, not deleted."""

    __tablename__ = "quiz_question"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"), index=True)
    position: Mapped[int]
    retired_at: Mapped[datetime | None]


class QuizQuestionWording(Base):
    """A question in one language."""

    __tablename__ = "quiz_question_wording"

    question_id: Mapped[str] = mapped_column(ForeignKey("quiz_question.id"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    wording: Mapped[str]
    explanation: Mapped[str] = mapped_column(server_default="")
    """Told to whoever answered it wrong; empty: nothing is."""


class QuizAnswer(Base):
    """An answer to choose. Whether it is right is the same in every language."""

    __tablename__ = "quiz_answer"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    question_id: Mapped[str] = mapped_column(ForeignKey("quiz_question.id"), index=True)
    position: Mapped[int]
    is_right: Mapped[bool]


class QuizAnswerWording(Base):
    """An answer in one language."""

    __tablename__ = "quiz_answer_wording"

    answer_id: Mapped[str] = mapped_column(ForeignKey("quiz_answer.id"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    wording: Mapped[str]


class QuizAttempt(Base):
    """One try at a quiz. What was chosen is not kept."""

    __tablename__ = "quiz_attempt"
    __table_args__ = (Index("ix_quiz_attempt_course_id_person_id", "course_id", "person_id"),)

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    language: Mapped[str]
    at: Mapped[datetime]
    right_count: Mapped[int]
    asked: Mapped[int]
    passed: Mapped[bool]


class CourseCheck(Base):
    """A practical check, or a supervised first job, as a trainer saw it."""

    __tablename__ = "course_check"
    __table_args__ = (Index("ix_course_check_course_id_person_id", "course_id", "person_id"),)

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    step: Mapped[str]
    """``practical`` or ``first-job``."""
    passed: Mapped[bool]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(ForeignKey("person.id"))


class CertificationGrant(Base):
    """What belongs to a grant beside its row in ``certification``."""

    __tablename__ = "certification_grant"

    certification_id: Mapped[int] = mapped_column(
        ForeignKey("certification.id"), primary_key=True, autoincrement=False
    )
    course_id: Mapped[str | None] = mapped_column(ForeignKey("course.id"), index=True)
    unused_months: Mapped[int | None]


class LabPresence(Base):
    """Somebody is in the lab. At most one open row (left_at NULL) per person."""

    __tablename__ = "lab_presence"
    __table_args__ = (
        Index(
            "lab_presence_one_open",
            "person_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("ix_lab_presence_person_id_came_at", "person_id", "came_at"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    came_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class DueWork(Base):
    """A due thing that the steward did. The key keeps it from being done twice."""

    __tablename__ = "due_work"
    __table_args__ = (UniqueConstraint("kind", "subject", "due_at"),)

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    """``noun:id``."""
    due_at: Mapped[datetime]
    done_at: Mapped[datetime]
