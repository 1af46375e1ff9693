"""Assessment in operation (B3, decision 22): what a case does when it hears of its figures, and of a confirmation.

figures recorded → the base is told, of a fail with the right to object → (objection → compliance decides) → a second
person confirms → passed, or the certification is invalid (R9, `domain/leaving.py`)

Figures that are missing are unknown and never a fail: reminded, escalated, decided by a person
(`domain/assessment_agenda.py`, `domain/objection.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.assessing import FAILED
from domain.case import Assessment, Case
from domain.figures import Figures, Metric, Result
from domain.leaving import end_in_term
from domain.letters import letter
from domain.money import format_cny
from domain.planning import Event
from domain.policy import Policy
from domain.quarter import facts, passed, plan_without, tasks_without, with_
from domain.records import Letter, Record, Transition
from domain.refusals import Problem
from domain.setting import Due, Setting, step
from domain.stages import Role, Stage, Standing

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_METRICS = {"live_merchants": "直播商家数", "active_share": "活跃商家占比", "gmv": "直播成交额"}


@dataclass(frozen=True)
class FiguresRecorded:
    """Figures of a quarter that have come on record, as the case hears of them."""

    figures: Figures
    revision: int
    result: Result
    missed: tuple[Metric, ...]
    by: str
    at: datetime

    @property
    def period(self) -> str:
        return self.figures.period

    @property
    def order(self) -> tuple[str, int, int]:
        return self.period, self.revision, 0


@dataclass(frozen=True)
class ResultConfirmed:
    """A result that a second person has confirmed; `revision` is that of its figures, 0 without any."""

    period: str
    revision: int
    result: Result
    by: str
    at: datetime

    @property
    def order(self) -> tuple[str, int, int]:
        return self.period, self.revision, 1


News = FiguresRecorded | ResultConfirmed


def unheard(case: Case, news: News) -> bool:
    """Whether the case has still to hear of it."""
    known = case.assessment(news.period)
    if isinstance(news, FiguresRecorded):
        return known is None or news.revision > known.revision
    return known is None or news.revision > known.confirmed_revision


def hear(case: Case, news: News, setting: Setting) -> Transition:
    """What a case does when it hears of its figures or of a confirmation, which count from their own instant."""
    return _figures(case, news, setting) if isinstance(news, FiguresRecorded) else _confirmed(case, news, setting)


def _figures(case: Case, news: FiguresRecorded, setting: Setting) -> Transition:
    before = case.assessment(news.period) or Assessment(period=news.period, state="unknown", result="unknown")
    importers = before.importers if news.by in before.importers else (*before.importers, news.by)
    heard = before.model_copy(update={"revision": news.revision, "importers": importers})
    same = before.result == news.result
    if case.ending is not None and case.stage is not Stage.RENEWAL_LATE:
        return _after_the_end(case, news, heard, setting)
    if same and (before.state == "confirmed" or (before.state == "provisional" and news.result == "pass")):
        return _heard(case, news, setting, heard)
    told = heard.model_copy(
        update={"state": "provisional", "result": news.result, "objection_until": None, "decided_by": None}
    )
    tasks = tasks_without(case, news.period)
    if news.result == "pass":
        confirmed = setting.working_days(setting.policy.assessment_decision_working_days)
        plan = passed(case, news.period, confirmed)
        return _heard(case, news, setting, told, _told(case, news, None, setting), tasks=tasks, plan=plan)
    due = setting.working_days(setting.policy.assessment_objection_working_days)
    told = told.model_copy(update={"objection_until": due.at})
    window = due.event(Event.END_OBJECTION, f"the time to object to the result of {news.period} ends", news.period)
    plan = (*plan_without(case, news.period), window)
    return _heard(case, news, setting, told, _told(case, news, due, setting), tasks=tasks, plan=plan)


def _after_the_end(case: Case, news: FiguresRecorded, heard: Assessment, setting: Setting) -> Transition:
    """Corrected figures that pass can set aside what a failed assessment ended; a person does that."""
    failed = case.ending is not None and case.ending.kind is Standing.INVALID and heard.result == "fail"
    kept = tuple(task for task in case.tasks if (task.kind, task.subject) != ("set_aside_assessment", news.period))
    if not failed or news.result == "fail":
        return _heard(case, news, setting, heard, tasks=kept)
    due = setting.working_days(setting.policy.assessment_decision_working_days)
    note = letter(
        case,
        "assessment_to_set_aside",
        setting,
        until=due.at,
        provisional=due.provisional,
        **facts(news.period),
        figures=_figures_told(news, setting.policy),
    )
    task = due.task("set_aside_assessment", Role.COMPLIANCE, news.period)
    return _heard(case, news, setting, heard, note, tasks=(*kept, task))


def _heard(
    case: Case, news: FiguresRecorded, setting: Setting, after: Assessment, *records: Record, **changes: Any
) -> Transition:
    figures = news.figures
    return step(
        case,
        setting,
        "assessment_recorded" if news.revision == 1 else "assessment_corrected",
        f"{Role.OPERATOR}:{news.by}",
        *records,
        legal_at=min(news.at, setting.now),
        detail={
            "period": news.period,
            "revision": news.revision,
            "result": news.result,
            "missed": list(news.missed),
            "live_merchants": figures.live_merchants,
            "active_merchants": figures.active_merchants,
            "gmv": {"fen": figures.gmv},
        },
        assessments=with_(case, after),
        **changes,
    )


def _told(case: Case, news: FiguresRecorded, due: Due | None, setting: Setting) -> Letter:
    return letter(
        case,
        f"assessment_provisional.{news.result}",
        setting,
        until=due.at if due else None,
        provisional=due.provisional if due else False,
        **facts(news.period),
        figures=_figures_told(news, setting.policy),
        source="数据已导入" if news.revision == 1 else f"数据已更正(第{news.revision}版)",
        missed="、".join(_METRICS[metric] for metric in news.missed),
    )


def _confirmed(case: Case, news: ResultConfirmed, setting: Setting) -> Transition:
    before = case.assessment(news.period)
    assert before is not None
    after = before.model_copy(
        update={
            "state": "confirmed",
            "result": news.result,
            "confirmed_by": news.by,
            "confirmed_at": news.at,
            "confirmed_revision": news.revision,
        }
    )
    legal_at, actor = min(news.at, setting.now), f"{Role.COMPLIANCE}:{news.by}"
    known = case.model_copy(
        update={
            "assessments": with_(case, after),
            "tasks": tasks_without(case, news.period),
            "plan": plan_without(case, news.period),
        }
    )
    detail = {"period": news.period, "revision": news.revision, "result": news.result}
    fails = fails_in_a_row(known.assessments, news.period)
    enough = len(fails) >= setting.policy.assessment_consecutive_fails
    if case.ending is None and news.result == "fail" and enough:
        reason = "the quarterly assessment was failed"
        ending = (known, setting, actor, Standing.INVALID, FAILED, reason)
        took_part = tuple(name for one in fails for name in (one.confirmed_by, one.decided_by, *one.importers) if name)
        return end_in_term(*ending, legal_at=legal_at, detail=detail, facts=facts(news.period), by=took_part)
    notes = () if case.ending else (letter(case, f"assessment_confirmed.{news.result}", setting, **facts(news.period)),)
    return step(known, setting, "assessment_confirmed", actor, *notes, legal_at=legal_at, detail=detail)


def failed_last(assessments: tuple[Assessment, ...]) -> tuple[Assessment, ...]:
    """The fails in a row behind the one that was confirmed last."""
    failed = [one for one in assessments if one.state == "confirmed" and one.result == "fail"]
    newest = max(failed, key=lambda one: one.confirmed_at or _LONG_AGO)
    return fails_in_a_row(assessments, newest.period)


def fails_in_a_row(assessments: tuple[Assessment, ...], period: str) -> tuple[Assessment, ...]:
    """The assessed quarters in a row, that one among them, that are confirmed fails."""
    run: list[Assessment] = []
    for one in assessments:
        if one.state == "confirmed" and one.result == "fail":
            run.append(one)
        elif any(failed.period == period for failed in run):
            break
        else:
            run = []
    return tuple(run) if any(failed.period == period for failed in run) else ()


def bars(case: Case) -> tuple[Problem, ...]:
    """What of its assessments bars a renewal: a fail, confirmed or not (decision 23). What is unknown is none (22)."""
    return tuple(
        Problem(
            f"assessment.{one.period}", f"the assessment of {one.period} is not passed ({one.result}, {one.state})."
        )
        for one in case.assessments
        if one.result == "fail" and (one.open or one == case.assessments[-1])
    )


def _figures_told(news: FiguresRecorded, policy: Policy) -> tuple[str, ...]:
    """Each figure with its limit, a line each."""
    figures = news.figures
    return (
        f"- 直播商家数:{figures.live_merchants}(标准:不少于{policy.assessment_live_merchants})",
        f"- 活跃商家占比:{figures.active_percent}%(活跃{figures.active_merchants};"
        f"标准:不低于{policy.assessment_active_percent}%)",
        f"- 直播成交额:人民币{format_cny(figures.gmv)}元(标准:不低于{format_cny(policy.assessment_gmv_fen)}元)",
    )
