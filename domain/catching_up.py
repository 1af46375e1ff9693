"""What has come about by now comes before whatever is decided: transitions due, news of assessments (decision 7).

Whoever changes a case, its own workflow, a conduct case's or a quarter's, first takes what the others are late with.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain import agenda, assessment, conduct_agenda
from domain.assessment import News
from domain.case import Case
from domain.records import Transition
from domain.setting import Setting


def first(case: Case, news: Sequence[News], setting: Setting) -> Transition | None:
    """The first of what has come about and is not in the case yet, in the order of the instants; None when all is.

    `news` are what the case has still to hear of. What ends at an instant has ended for all that comes at it.
    """
    now = setting.now
    heard = min(news, key=lambda one: one.at, default=None)
    planned = agenda.legally_due(case, now)
    conduct, of_conduct = min(
        ((one, due) for one in case.open_conduct if (due := conduct_agenda.legally_due(one, now)) is not None),
        key=lambda pair: pair[1].at,
        default=(None, None),
    )
    if heard is not None and all(due is None or heard.at < due.at for due in (planned, of_conduct)):
        return assessment.hear(case, heard, setting)
    if conduct is not None and of_conduct is not None and (planned is None or of_conduct.at < planned.at):
        return conduct_agenda.take(case, conduct.id, of_conduct, setting)
    return agenda.take(case, planned, setting) if planned is not None else None
