"""Policy as data: one file, every number with its source, versions pinned."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.policy import Policy, PolicyBook
from store.reference import policy_book


def test_the_requirements_numbers_are_the_policys() -> None:
    policy = policy_book().in_force(date(2026, 11, 24))
    assert (policy.registered_capital_fen, policy.deposit_fen) == (50_000_000, 10_000_000)
    assert (policy.live_rooms, policy.area_m2, policy.experience_months) == (10, 300, 10)
    assert (policy.publication_working_days, policy.term_years) == (7, 1)


def test_every_figure_names_its_source_and_every_other_is_marked_an_assumption() -> None:
    for version in policy_book().versions:
        for name, figure in version.figures.items():
            assert figure.source.startswith(("requirement", "decision")), name
            assert figure.assumption is not figure.source.startswith("requirement"), name


def book(*versions: dict[str, Any]) -> PolicyBook:
    base = policy_book().versions[0].model_dump(mode="json")
    return PolicyBook.model_validate({"versions": [{**base, **version} for version in versions]})


def test_the_version_in_force_is_the_newest_effective_one() -> None:
    two = book({}, {"version": "2027.1", "effective_from": "2027-01-01"})
    assert two.in_force(date(2026, 12, 31)).version == "2026.1"
    assert two.in_force(date(2027, 1, 1)).version == "2027.1"
    assert two.pinned("2026.1").effective_from == date(2026, 1, 1)


def test_a_pinned_version_that_is_gone_is_an_error() -> None:
    with pytest.raises(LookupError):
        policy_book().pinned("1999.1")
    with pytest.raises(LookupError):
        policy_book().in_force(date(2020, 1, 1))


@pytest.mark.parametrize(
    "versions",
    [
        ({}, {}),
        ({}, {"version": "2025.1", "effective_from": "2025-01-01"}),
        ({"figures": {}},),
        (
            {
                "figures": {
                    **policy_book().versions[0].model_dump(mode="json")["figures"],
                    "surprise": {"value": 1, "source": "x y"},
                }
            },
        ),
    ],
)
def test_a_book_that_can_not_be_right_is_refused(versions: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(ValidationError):
        book(*versions)


def test_no_number_of_the_policy_has_a_default_in_code() -> None:
    assert all(field.is_required() for field in Policy.model_fields.values())
