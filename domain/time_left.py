"""The base's deadlines that a decision cut off: set aside, they go on with the time that was left (decisions 28, 34).

Nobody's right is over in the instant of the way back. What hangs on no deadline of the base (a term's end, the
platform's own duties) comes at its legal instant instead.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from domain.conduct import ConductCase
from domain.planning import Counting, Event, Planned, Task
from domain.setting import Due, Setting
from domain.shanghai import last_day, shanghai_date
from domain.stages import Role

OF_THE_BASE = frozenset(
    {
        Event.REMIND_SUPPLEMENT,
        Event.LAPSE_SUPPLEMENT,
        Event.REMIND_DEPOSIT,
        Event.LAPSE_DEPOSIT,
        Event.REMIND_RENEWAL_SUPPLEMENT,
        Event.LAPSE_RENEWAL,
        Event.END_OBJECTION,
        Event.END_ANSWER,
        Event.SUSPEND_UNCORRECTED,
        Event.ASK_FOR_REVOCATION,
    }
)
"""What is planned for a deadline of the base's: its reminders, and what comes when it is missed."""


class TimeLeft:
    """Deadlines that ran at an instant, `cut_off`, from the setting's day on: as many days as were left then, working
    days where it is counted in working days (decision 4); at least one of these.

    What had been reached by then stays as it was.
    """

    def __init__(self, cut_off: datetime, setting: Setting) -> None:
        self._cut_off = cut_off
        self._gone = (setting.today - shanghai_date(cut_off)).days
        self._setting = setting

    def of_task(self, task: Task) -> Task:
        if task.role is not Role.APPLICANT or (due := self._due(task.due_at, task.counted)) is None:
            return task
        return task.model_copy(update={"due_at": due.at, "provisional": due.provisional, "counted": due.counted})

    def of_planned(self, planned: Planned) -> Planned:
        if planned.event not in OF_THE_BASE or (due := self._due(planned.at, planned.counted)) is None:
            return planned
        return planned.model_copy(update={"at": due.at, "provisional": due.provisional, "counted": due.counted})

    def of_conduct(self, conduct: ConductCase) -> ConductCase:
        return conduct.model_copy(update={"plan": tuple(self.of_planned(planned) for planned in conduct.plan)})

    def _due(self, instant: datetime | None, counted: Counting | None) -> Due | None:
        """None for what is not moved. A reminder stays so many days before its deadline."""
        if instant is None or instant <= self._cut_off or not self._gone:
            return None
        before = counted.days_before if counted else 0
        day = last_day(instant) + timedelta(days=before)
        if counted and counted.working_days and not counted.days:
            left = max(1, self._working_days_left(day))
            return self._setting.count(Counting(start=self._setting.today, working_days=left, days_before=before))
        return self._setting.count(Counting(start=day, days=self._gone, days_before=before))

    def _working_days_left(self, day: date) -> int:
        """How many working days there are after the one it was cut off on, through `day`."""
        cut_off, calendar = shanghai_date(self._cut_off), self._setting.calendar
        days = (cut_off + timedelta(days=number) for number in range(1, (day - cut_off).days + 1))
        return sum(1 for one in days if calendar.is_working_day(one))
