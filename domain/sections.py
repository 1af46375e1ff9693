"""The sections of an application, field by field (`design/files.md`).

Every field is written. A field that a condition of access covers may be null, and the condition fails then
(`domain/screening.py`); the others may not. The names here are what YAML and JSON files use.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.fields import (
    Amount,
    AnyDate,
    Area,
    Code,
    Count,
    CreditCode,
    DocumentPath,
    Documents,
    Email,
    Line,
    Name,
    PastDate,
    Phone,
)
from domain.money import parse_cny

EntityKind = Literal["enterprise", "individual", "social_organisation", "public_institution"]
PartnerKind = Literal["professional_market", "brand", "local_government"]
PolicyKind = Literal["enterprise_subsidy", "tax_subsidy", "talent_subsidy", "other"]
Taxpayer = Literal["general", "small_scale"]


class Section(BaseModel):
    """What people hand in: unknown fields are problems, nothing is converted, errors don't show values."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, serialize_by_alias=True
    )


class Base(Section):
    """The base as it will be listed."""

    name: Name
    address: Line
    platform_account: Name


class Enterprise(Section):
    """The facts A2 is judged on. Those a condition covers may be null: the condition fails then."""

    name: Name
    credit_code: CreditCode
    registered_on: PastDate | None
    registered_capital: Amount | None
    taxpayer: Taxpayer | None
    taxpayer_evidence: DocumentPath | None
    advantage_statement: DocumentPath | None
    legal_representative: Name

    @property
    def registered_capital_fen(self) -> int | None:
        """The registered capital in fen, None when the file gives none."""
        return None if self.registered_capital is None else parse_cny(self.registered_capital)


class Entity(Section):
    """The business entity of the platform account (A1). An overseas one has null in the fields of A2."""

    name: Name
    kind: EntityKind | None
    jurisdiction: Literal["mainland", "overseas"]
    credit_code: CreditCode | None
    registration_number: Code | None
    registered_on: PastDate | None
    registered_capital: Amount | None
    taxpayer: Taxpayer | None
    taxpayer_evidence: DocumentPath | None
    advantage_statement: DocumentPath | None
    legal_representative: Name | None


class EntrustedEnterprise(Enterprise):
    """The mainland enterprise an overseas entity entrusts (A1): A2 and the verification are judged on it."""

    entrustment: DocumentPath | None


class Agreement(Section):
    """Acceptance of the platform's agreement (R8)."""

    version: Code | None
    accepted_on: PastDate | None
    signatory: Name | None
    evidence: DocumentPath | None


class AlipayVerification(Section):
    """Alipay enterprise real-name verification (A1)."""

    account: Line | None
    verified_on: PastDate | None
    evidence: DocumentPath | None


class Facilities(Section):
    """Live rooms and office area including studios in square metres, as text (A4)."""

    live_rooms: Count | None
    area_m2: Area | None
    evidence: Documents


class Experience(Section):
    """Experience as MCN, in live e-commerce or related business (A4)."""

    kind: Literal["mcn", "live_commerce", "related"] | None
    since: PastDate | None
    evidence: DocumentPath | None


class CooperationCase(Section):
    """A successful cooperation project (A4, A5)."""

    partner: Name | None
    kind: PartnerKind | None
    title: Line | None
    evidence: DocumentPath | None


class Recommendation(Section):
    """Recommendation material (A5); `from_` is `from` in the file."""

    from_: Name | None = Field(alias="from")
    kind: PartnerKind | None
    evidence: DocumentPath | None


class GovernmentPolicy(Section):
    """A government policy for live commerce (B1); `valid_until` is its last day, null when it has none."""

    kind: PolicyKind | None
    issued_by: Name | None
    valid_until: AnyDate | None
    evidence: DocumentPath | None


class OperatingCompany(Section):
    """The landed company that runs the base; it may be the entity itself (B2)."""

    name: Name | None
    credit_code: CreditCode | None
    evidence: DocumentPath | None


class Contact(Section):
    """Whom to reach about the application. Personal: goes nowhere but the document store."""

    name: Name
    phone: Phone
    email: Email
