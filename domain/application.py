"""The application for certification as it is handed in, and the supplement that replaces sections of it.

The shape is the contract of `design/files.md`; its sections are in `domain/sections.py`. Everything wrong is
found at once: what pydantic sees field by field, and what is wrong between fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated

from pydantic import ValidationError

from domain.fields import Listed, Text, document_fields, plain_problems
from domain.names import folded
from domain.refusals import Problem
from domain.sections import (
    Agreement,
    AlipayVerification,
    Base,
    Contact,
    CooperationCase,
    Enterprise,
    Entity,
    EntrustedEnterprise,
    Experience,
    Facilities,
    GovernmentPolicy,
    OperatingCompany,
    Recommendation,
    Section,
)


class InvalidApplication(ValueError):
    """What was handed in is not an application: every problem, each with its path. Holds no values."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path} {problem.message}".strip() for problem in problems))
        self.problems = problems


class Application(Section):
    """One application. Dates are Shanghai dates, amounts and areas text as written (`design/files.md`)."""

    base: Base
    entity: Entity
    entrusted_enterprise: EntrustedEnterprise | None
    agreement: Agreement | None
    alipay_verification: AlipayVerification | None
    facilities: Facilities | None
    experience: Experience | None
    cooperation_cases: Annotated[tuple[CooperationCase, ...], Listed]
    recommendations: Annotated[tuple[Recommendation, ...], Listed]
    government_policies: Annotated[tuple[GovernmentPolicy, ...], Listed]
    operating_company: OperatingCompany | None
    contact: Contact

    @property
    def enterprise(self) -> Enterprise:
        """Whom A2 is judged on: the entrusted enterprise of an overseas entity, else the entity itself."""
        if self.entrusted_enterprise is not None:
            return self.entrusted_enterprise
        facts = self.entity.model_dump(include=set(Enterprise.model_fields))
        return Enterprise.model_construct(**facts)

    @property
    def credit_code(self) -> str:
        """The code the base is known by: 18 characters, normalised."""
        return self.enterprise.credit_code

    @property
    def payer_names(self) -> tuple[str, ...]:
        """Whose money counts as the deposit (A3): the entity and, where there is one, its entrusted enterprise."""
        entrusted = self.entrusted_enterprise
        return (self.entity.name,) if entrusted is None else (self.entity.name, entrusted.name)

    @property
    def representative(self) -> str:
        """The legal representative of the enterprise A2 is judged on, folded."""
        return folded(self.enterprise.legal_representative).casefold()

    @property
    def names(self) -> dict[str, str]:
        """What people know the base by, kind → name, to find its case again. Nobody's own name is among them."""
        entrusted, operator = self.entrusted_enterprise, self.operating_company
        names = {
            "base": self.base.name,
            "platform_account": self.base.platform_account,
            "entity": self.entity.name,
            "registration_number": self.entity.registration_number,
            "entrusted_enterprise": entrusted.name if entrusted else None,
            "operating_company": operator.name if operator else None,
            "operating_company_code": operator.credit_code if operator else None,
        }
        return {kind: name for kind, name in names.items() if name}

    def document_paths(self) -> dict[str, tuple[str, ...]]:
        """Every document named: its path → the paths of the fields naming it, in the file's order."""
        paths: dict[str, tuple[str, ...]] = {}
        for field_path, document in document_fields(self.model_dump()):
            paths[document] = (*paths.get(document, ()), field_path)
        return paths


def read_application(data: object, *, today: date) -> Application:
    """The application in `data`, what a YAML or JSON file holds: mappings, lists, text, whole numbers, dates.

    `today` is the Shanghai date that dates are compared with. Raises `InvalidApplication` with every problem.
    """
    problems: list[Problem] = []
    try:
        application = Application.model_validate(data, context={"today": today})
    except ValidationError as error:
        problems.extend(plain_problems(error))
    known = {problem.path for problem in problems}
    problems.extend(problem for problem in _across_fields(data) if problem.path not in known)
    if problems:
        raise InvalidApplication(tuple(sorted(problems, key=_section_order)))
    return application


def merge_supplement(application: Application, data: object, *, today: date) -> Application:
    """`application` with the sections of a supplement in place of its own, each whole.

    `data` maps section names to sections; `documents_note` may stand beside them or alone. Raises
    `InvalidApplication` with every problem: nothing in it, no such section, a section that is wrong in itself
    or with the others, or another credit code than the base is known by.
    """
    if not isinstance(data, Mapping) or not data:
        raise InvalidApplication((Problem("", "must be a mapping of at least one section of the application"),))
    problems: list[Problem] = []
    try:
        _Note.model_validate({name: value for name, value in data.items() if name == "documents_note"})
    except ValidationError as error:
        problems.extend(plain_problems(error))
    sections = {name: section for name, section in data.items() if name != "documents_note"}
    try:
        merged = read_application({**application.model_dump(), **sections}, today=today)
        if merged.credit_code != application.credit_code:
            where = "entity" if merged.entrusted_enterprise is None else "entrusted_enterprise"
            message = "must stay the code the base is known by: a different enterprise applies on its own"
            problems.append(Problem(f"{where}.credit_code", message))
    except InvalidApplication as invalid:
        problems.extend(invalid.problems)
    if problems:
        raise InvalidApplication(tuple(problems))
    return merged


def documents_note(data: object) -> str | None:
    """The note of a supplement that `merge_supplement` accepted, None when it has none."""
    note = data.get("documents_note") if isinstance(data, Mapping) else None
    return _Note.model_validate({"documents_note": note}).documents_note


class _Note(Section):
    documents_note: Text | None = None


_BELONGS_TO_ENTERPRISE = tuple(name for name in Enterprise.model_fields if name != "name")
_SECTIONS = tuple(Application.model_fields)


def _across_fields(data: object) -> Iterator[Problem]:
    """What is wrong between fields: who must give the enterprise's facts, by jurisdiction (A1)."""
    entity = data.get("entity") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(entity, Mapping):
        return
    entrusted = data.get("entrusted_enterprise")
    if entity.get("jurisdiction") == "overseas":
        if entity.get("registration_number") is None:
            yield Problem("entity.registration_number", "must not be null for an overseas entity")
        for name in _BELONGS_TO_ENTERPRISE:
            if entity.get(name) is not None:
                message = "must be null for an overseas entity: it is the entrusted enterprise's to give"
                yield Problem(f"entity.{name}", message)
        if entrusted is None:
            message = "must not be null for an overseas entity: a mainland enterprise is entrusted (A1)"
            yield Problem("entrusted_enterprise", message)
    elif entity.get("jurisdiction") == "mainland":
        for name in ("credit_code", "legal_representative"):
            if entity.get(name) is None:
                yield Problem(f"entity.{name}", "must not be null for a mainland entity")
        if entity.get("registration_number") is not None:
            message = "must be null for a mainland entity: its credit code is its number"
            yield Problem("entity.registration_number", message)
        if entrusted is not None:
            message = "must be null for a mainland entity: only an overseas one entrusts an enterprise"
            yield Problem("entrusted_enterprise", message)


def _section_order(problem: Problem) -> int:
    section = re.split(r"[.\[]", problem.path, maxsplit=1)[0]
    return _SECTIONS.index(section) if section in _SECTIONS else len(_SECTIONS)
