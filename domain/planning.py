"""What a case plans: what a person must do and by when, and what comes of itself when its instant arrives.

Instants are aware UTC datetimes, dates are Shanghai dates.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.stages import Role


class _Part(BaseModel):
    # An older worker must carry a newer one's field through continue-as-new.
    model_config = ConfigDict(extra="allow", frozen=True)


class Counting(_Part):
    """How a deadline was counted, so that it can be counted again when the calendar changes (decision 5).

    From `start` (a Shanghai date, not counted itself) so many calendar `days`, rolled on to the next working day
    (decision 4); from there so many `working_days`; and back `days_before`. `calendar` is the version it was
    counted with. `Setting.count` does it.
    """

    start: date
    days: int = 0
    working_days: int = 0
    days_before: int = 0
    calendar: str = ""


class Task(_Part):
    """Something a person must do. `due_at` is the midnight after its last day.

    `counted` is None where no calendar has a say: no deadline, or one that was set by hand or in plain days.
    `subject` is the id of what it is about where a case may have several; `also` are other roles that may do it.
    """

    kind: str
    role: Role
    also: tuple[Role, ...] = ()
    subject: str | None = None
    assignee: str | None = None
    due_at: datetime | None = None
    provisional: bool = False
    counted: Counting | None = None


class Event(StrEnum):
    """What comes of itself when its instant arrives. The values name the activities that make it happen."""

    ASK_VERIFICATION = "ask_verification"
    REMIND_REVIEWER = "remind_reviewer"
    ESCALATE_REVIEW = "escalate_review"
    REMIND_SUPPLEMENT = "remind_supplement"
    LAPSE_SUPPLEMENT = "lapse_supplement"
    REMIND_DEPOSIT = "remind_deposit"
    LAPSE_DEPOSIT = "lapse_deposit"
    REMIND_TOP_UP = "remind_top_up"
    SUSPEND_SHORT_DEPOSIT = "suspend_short_deposit"
    ESCALATE_CERTIFICATION = "escalate_certification"
    ATTEMPT_PUBLICATION = "attempt_publication"
    ESCALATE_PUBLICATION = "escalate_publication"
    RECORD_PUBLICATION_BREACH = "record_publication_breach"
    REMIND_RENEWAL = "remind_renewal"
    REMIND_RENEWAL_REVIEWER = "remind_renewal_reviewer"
    ESCALATE_RENEWAL = "escalate_renewal"
    REMIND_RENEWAL_SUPPLEMENT = "remind_renewal_supplement"
    LAPSE_RENEWAL = "lapse_renewal"
    BEGIN_TERM = "begin_term"
    CLOSE_LATE_RENEWAL = "close_late_renewal"
    EXPIRE_PROPOSAL = "expire_proposal"
    REMIND_FIGURES = "remind_figures"
    ESCALATE_FIGURES = "escalate_figures"
    END_OBJECTION = "end_objection"
    ESCALATE_ASSESSMENT = "escalate_assessment"
    ESCALATE_APPEAL = "escalate_appeal"
    END_ANSWER = "end_answer"
    ESCALATE_CONDUCT = "escalate_conduct"
    SUSPEND_UNCORRECTED = "suspend_uncorrected"
    ASK_FOR_REVOCATION = "ask_for_revocation"
    EXPIRE_CERTIFICATION = "expire_certification"
    ESCALATE_MARKS = "escalate_marks"
    SEND_REFUND = "send_refund"
    ESCALATE_SETTLEMENT = "escalate_settlement"
    CLOSE_CASE = "close_case"


class Planned(_Part):
    """An event that will come of itself at an instant unless the plan changes before. The rest as in `Task`."""

    event: Event
    at: datetime
    what: str
    provisional: bool = False
    counted: Counting | None = None
    subject: str | None = None
