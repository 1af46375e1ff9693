"""An application as it is handed in, with changes by path: data, not objects. Every condition passes as it stands."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

from domain.application import Application, read_application

TODAY = date(2026, 11, 24)
CODE = "91330782MA2K7P3R1U"
OTHER_CODE = "91330782MA2K7P3R2Y"
INDIVIDUALS_CODE = "92330782MA2K7P3R1Q"

DELETED = object()

_DATA: dict[str, Any] = {
    "base": {"name": "义乌北苑直播基地", "address": "浙江省金华市义乌市云集路88号", "platform_account": "yunji-base"},
    "entity": {
        "name": "义乌云集电子商务有限公司",
        "kind": "enterprise",
        "jurisdiction": "mainland",
        "credit_code": CODE,
        "registration_number": None,
        "registered_on": "2022-05-10",
        "registered_capital": "5000000.00",
        "taxpayer": "general",
        "taxpayer_evidence": "documents/taxpayer.pdf",
        "advantage_statement": None,
        "legal_representative": "王建国",
    },
    "entrusted_enterprise": None,
    "agreement": {
        "version": "2026-03",
        "accepted_on": "2026-01-05",
        "signatory": "王建国",
        "evidence": "documents/agreement.pdf",
    },
    "alipay_verification": {
        "account": "ops@yunji.example",
        "verified_on": "2026-01-08",
        "evidence": "documents/alipay.pdf",
    },
    "facilities": {
        "live_rooms": 12,
        "area_m2": "860.5",
        "evidence": ["documents/floor-plan.pdf", "documents/rooms.png"],
    },
    "experience": {"kind": "mcn", "since": "2024-06-01", "evidence": "documents/experience.pdf"},
    "cooperation_cases": [
        {
            "partner": "义乌国际商贸城",
            "kind": "professional_market",
            "title": "2025 秋季源头好货专场",
            "evidence": "documents/case-1.pdf",
        }
    ],
    "recommendations": [],
    "government_policies": [
        {
            "kind": "enterprise_subsidy",
            "issued_by": "义乌市商务局",
            "valid_until": None,
            "evidence": "documents/policy.pdf",
        }
    ],
    "operating_company": {
        "name": "义乌云集基地运营有限公司",
        "credit_code": OTHER_CODE,
        "evidence": "documents/operator.pdf",
    },
    "contact": {"name": "王芳", "phone": "13800000000", "email": "wang@yunji.example"},
}

RECOMMENDATION = {"from": "义乌市北苑街道办事处", "kind": "local_government", "evidence": "documents/letter.pdf"}

_MOVED = (
    "credit_code",
    "registered_on",
    "registered_capital",
    "taxpayer",
    "taxpayer_evidence",
    "advantage_statement",
    "legal_representative",
)


def handed_in(changes: dict[str, Any] | None = None, *, overseas: bool = False) -> dict[str, Any]:
    """The data with values put at dotted paths (`cooperation_cases.0.evidence`); `DELETED` takes a field out."""
    data = copy.deepcopy(_DATA)
    if overseas:
        entity = data["entity"]
        data["entrusted_enterprise"] = {
            "name": "义乌受托贸易有限公司",
            "entrustment": "documents/entrustment.pdf",
            **{name: entity[name] for name in _MOVED},
        }
        entity.update(dict.fromkeys(_MOVED), name="Cloudmarket (HK) Ltd", jurisdiction="overseas")
        entity["registration_number"] = "HK-1234567"
    for path, value in (changes or {}).items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = data
        for part in parents:
            place = place[part]
        if value is DELETED:
            del place[last]
        else:
            place[last] = value
    return data


def application(changes: dict[str, Any] | None = None, *, overseas: bool = False) -> Application:
    """The application that `handed_in` data makes on `TODAY`."""
    return read_application(handed_in(changes, overseas=overseas), today=TODAY)
