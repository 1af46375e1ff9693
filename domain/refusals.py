"""Why something is refused: one closed list of kinds, drawn as a tree.

```
refusal
├── invalid (exit 2)          what was handed in can't be read or is not allowed to look like that
│   ├── invalid_file              a file people hand in has problems
│   └── invalid_value             an option's value can't be right (a value date in the future)
├── unknown (exit 3)          nothing goes by that name
│   └── not_found                 no such base, case or certificate
├── not_permitted (exit 4)    this person may not do this
│   ├── role_not_allowed          the role may not use the command
│   ├── not_own_case              an applicant acts only on the case they opened
│   ├── second_person_required    somebody who took no part must do this
│   ├── not_signed                the command has no signature, and this is no local server
│   ├── signature_invalid         the signature is not of this command, or by no key of the actor's
│   ├── signature_expired         the signature was made too long ago, or is of a time to come
│   └── role_not_granted          the actor does not have the role they act in
├── rule (exit 5)             a rule of the certification says no
│   ├── wrong_stage               the case is not in a stage where this is possible
│   ├── case_exists               one live case per enterprise
│   ├── cooling_off               a new application is possible only later
│   ├── condition_failed          a condition of access is not met
│   ├── acceptance_missing        a finding that needs a person was not accepted by name
│   ├── review_held               another reviewer holds the review
│   ├── rounds_used_up            no further supplement round is left
│   ├── too_early                 the window for it has not opened yet
│   ├── too_late                  the deadline had passed when the command counted
│   ├── already_ended             the case has ended and this does not belong after an ending
│   ├── renewal_pending           a renewal is under way already
│   ├── renewal_barred            something stands in the renewal's way
│   ├── proposal_pending          the same waits for a second person already
│   ├── many_fails                so many of a batch fail that a person looks first
│   ├── nothing_to_confirm        no result of the quarter is ripe
│   ├── appeal_pending            an appeal has been filed already
│   ├── deposit_not_whole         the deposit must be whole again first
│   ├── outcome_not_open          a conduct case cannot be decided so now
│   ├── not_decided               a conduct case has not been decided against the base
│   ├── deposit_too_small         more than is there of the deposit
│   ├── nothing_withholds         nothing stands in the way of refunding the whole deposit
│   ├── account_of_another        an account to refund to is not in the entity's name
│   ├── nothing_lacking           the deposit is full
│   ├── nothing_to_waive          nothing bars a new application
│   ├── nothing_unmatched         no such money fits nowhere
│   ├── nothing_to_take_back      nothing of the payment is on the case
│   ├── nothing_to_correct        the payment has not been taken back
│   ├── payment_spent             what is to be taken back has been paid out or deducted
│   ├── nothing_to_resend         every letter meant has arrived or is on its way
│   ├── actor_known               somebody of that name is on record with a key
│   ├── actor_unchanged           a change of who may act would change nothing
│   ├── key_taken                 the key is, or was, another person's or has been revoked
│   ├── roles_conflict            nobody decides on cases and on who may act
│   └── not_local                 only on the local server
└── expectation (exit 8)      what the caller stated no longer holds
    ├── revision_stale            the application has another revision now
    ├── end_date_stale            the certification ends on another day now
    ├── proposal_changed          a proposal has other content, or what it was made on has changed
    ├── decision_stale            the case ended by another decision
    ├── conduct_stale             another conduct case was reported meanwhile
    ├── already_decided           another decision on that revision came first
    ├── request_id_reused         the request id was used with other parameters
    └── reference_reused          the bank reference was reported with other content
```
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class RefusalKind(StrEnum):
    """The closed list. The value goes over the wire and into JSON; `exit_code` is the command line's."""

    INVALID_FILE = "invalid_file"
    INVALID_VALUE = "invalid_value"
    NOT_FOUND = "not_found"
    ROLE_NOT_ALLOWED = "role_not_allowed"
    NOT_OWN_CASE = "not_own_case"
    SECOND_PERSON_REQUIRED = "second_person_required"
    NOT_SIGNED = "not_signed"
    SIGNATURE_INVALID = "signature_invalid"
    SIGNATURE_EXPIRED = "signature_expired"
    ROLE_NOT_GRANTED = "role_not_granted"
    WRONG_STAGE = "wrong_stage"
    CASE_EXISTS = "case_exists"
    COOLING_OFF = "cooling_off"
    CONDITION_FAILED = "condition_failed"
    ACCEPTANCE_MISSING = "acceptance_missing"
    REVIEW_HELD = "review_held"
    ROUNDS_USED_UP = "rounds_used_up"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    ALREADY_ENDED = "already_ended"
    RENEWAL_PENDING = "renewal_pending"
    RENEWAL_BARRED = "renewal_barred"
    PROPOSAL_PENDING = "proposal_pending"
    MANY_FAILS = "many_fails"
    NOTHING_TO_CONFIRM = "nothing_to_confirm"
    APPEAL_PENDING = "appeal_pending"
    DEPOSIT_NOT_WHOLE = "deposit_not_whole"
    OUTCOME_NOT_OPEN = "outcome_not_open"
    NOT_DECIDED = "not_decided"
    DEPOSIT_TOO_SMALL = "deposit_too_small"
    NOTHING_WITHHOLDS = "nothing_withholds"
    ACCOUNT_OF_ANOTHER = "account_of_another"
    NOTHING_LACKING = "nothing_lacking"
    NOTHING_TO_WAIVE = "nothing_to_waive"
    NOTHING_UNMATCHED = "nothing_unmatched"
    NOTHING_TO_TAKE_BACK = "nothing_to_take_back"
    NOTHING_TO_CORRECT = "nothing_to_correct"
    PAYMENT_SPENT = "payment_spent"
    NOTHING_TO_RESEND = "nothing_to_resend"
    ACTOR_KNOWN = "actor_known"
    ACTOR_UNCHANGED = "actor_unchanged"
    KEY_TAKEN = "key_taken"
    ROLES_CONFLICT = "roles_conflict"
    NOT_LOCAL = "not_local"
    REVISION_STALE = "revision_stale"
    END_DATE_STALE = "end_date_stale"
    PROPOSAL_CHANGED = "proposal_changed"
    DECISION_STALE = "decision_stale"
    CONDUCT_STALE = "conduct_stale"
    ALREADY_DECIDED = "already_decided"
    REQUEST_ID_REUSED = "request_id_reused"
    REFERENCE_REUSED = "reference_reused"

    @property
    def family(self) -> str:
        """The branch of the tree the kind hangs on."""
        return next(family for family, kinds in TREE.items() if self in kinds)

    @property
    def exit_code(self) -> int:
        """The command line's exit code (fixed, `design/cli.md`)."""
        return EXIT_CODES[self.family]


TREE: dict[str, tuple[RefusalKind, ...]] = {
    "invalid": (RefusalKind.INVALID_FILE, RefusalKind.INVALID_VALUE),
    "unknown": (RefusalKind.NOT_FOUND,),
    "not_permitted": (
        RefusalKind.ROLE_NOT_ALLOWED,
        RefusalKind.NOT_OWN_CASE,
        RefusalKind.SECOND_PERSON_REQUIRED,
        RefusalKind.NOT_SIGNED,
        RefusalKind.SIGNATURE_INVALID,
        RefusalKind.SIGNATURE_EXPIRED,
        RefusalKind.ROLE_NOT_GRANTED,
    ),
    "rule": (
        RefusalKind.WRONG_STAGE,
        RefusalKind.CASE_EXISTS,
        RefusalKind.COOLING_OFF,
        RefusalKind.CONDITION_FAILED,
        RefusalKind.ACCEPTANCE_MISSING,
        RefusalKind.REVIEW_HELD,
        RefusalKind.ROUNDS_USED_UP,
        RefusalKind.TOO_EARLY,
        RefusalKind.TOO_LATE,
        RefusalKind.ALREADY_ENDED,
        RefusalKind.RENEWAL_PENDING,
        RefusalKind.RENEWAL_BARRED,
        RefusalKind.PROPOSAL_PENDING,
        RefusalKind.MANY_FAILS,
        RefusalKind.NOTHING_TO_CONFIRM,
        RefusalKind.APPEAL_PENDING,
        RefusalKind.DEPOSIT_NOT_WHOLE,
        RefusalKind.OUTCOME_NOT_OPEN,
        RefusalKind.NOT_DECIDED,
        RefusalKind.DEPOSIT_TOO_SMALL,
        RefusalKind.NOTHING_WITHHOLDS,
        RefusalKind.ACCOUNT_OF_ANOTHER,
        RefusalKind.NOTHING_LACKING,
        RefusalKind.NOTHING_TO_WAIVE,
        RefusalKind.NOTHING_UNMATCHED,
        RefusalKind.NOTHING_TO_TAKE_BACK,
        RefusalKind.NOTHING_TO_CORRECT,
        RefusalKind.PAYMENT_SPENT,
        RefusalKind.NOTHING_TO_RESEND,
        RefusalKind.ACTOR_KNOWN,
        RefusalKind.ACTOR_UNCHANGED,
        RefusalKind.KEY_TAKEN,
        RefusalKind.ROLES_CONFLICT,
        RefusalKind.NOT_LOCAL,
    ),
    "expectation": (
        RefusalKind.REVISION_STALE,
        RefusalKind.END_DATE_STALE,
        RefusalKind.PROPOSAL_CHANGED,
        RefusalKind.DECISION_STALE,
        RefusalKind.CONDUCT_STALE,
        RefusalKind.ALREADY_DECIDED,
        RefusalKind.REQUEST_ID_REUSED,
        RefusalKind.REFERENCE_REUSED,
    ),
}

EXIT_CODES: dict[str, int] = {"invalid": 2, "unknown": 3, "not_permitted": 4, "rule": 5, "expectation": 8}


class Problem(NamedTuple):
    """One thing wrong at one place: (path, message), e.g. ("entity.credit_code", "wrong check character")."""

    path: str
    message: str


class Refusal(Exception):
    """A refusal: its kind, what happened and why (`message`), what to do next (`hint`), and all problems."""

    def __init__(self, kind: RefusalKind, message: str, hint: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
        self.problems = problems

    @property
    def detail(self) -> RefusalDetail:
        return RefusalDetail(kind=self.kind, message=self.message, hint=self.hint, problems=self.problems)


def missent(message: str) -> Refusal:
    """What was sent to another workflow than its own (2): a caller of ours names the right one."""
    return Refusal(
        RefusalKind.INVALID_VALUE, message, "Send it with the livebase command line: it knows where it belongs."
    )


def request_id_reused(request_id: str) -> Refusal:
    """The refusal of a request id that was used with other parameters (decision 32)."""
    return Refusal(
        RefusalKind.REQUEST_ID_REUSED,
        f"Request id {request_id} was used with other parameters.",
        "Use a new request id.",
    )


class RefusalDetail(BaseModel):
    """A refusal as data, as it crosses the wire."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: RefusalKind
    message: str
    hint: str = ""
    problems: tuple[Problem, ...] = ()

    def refusal(self) -> Refusal:
        return Refusal(self.kind, self.message, self.hint, self.problems)
