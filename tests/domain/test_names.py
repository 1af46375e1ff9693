"""When two names are the same: people's strictly, companies' as banks and registers write them."""

from __future__ import annotations

import pytest

from domain.names import same_company, same_name

HK = "Cloudmarket (HK) Ltd."
SAME = [
    (HK, "CLOUDMARKET (HK) LTD"),
    (HK, "Ｃｌｏｕｄｍａｒｋｅｔ　（ＨＫ）　Ｌｔｄ．"),
    (HK, " cloudmarket hk  limited "),
    (HK, "Cloudmarket (H.K.) Limited"),
    ("Lee's Trading Co., Ltd.", "LEES TRADING COMPANY LIMITED"),
    ("Lee’s Trading Co Ltd", "Lee's Trading Co Ltd"),
    ("Wal-Mart Inc.", "WAL MART INCORPORATED"),
    ("义乌云集（集团）有限公司", "义乌云集(集团) 有限公司"),
]
OTHERS = [
    (HK, "Cloudmarket (SG) Ltd."),
    (HK, "Cloudmarket (HK)"),
    (HK, "Cloudmarket (HK) Holdings Ltd."),
    ("Cloudmarket Limited", "Cloudmarket Unlimited"),
    ("义乌云集电子商务有限公司", "义乌云集电子商务有限责任公司"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_company_however_it_is_written(one: str, other: str) -> None:
    assert same_company(one, other) and same_company(other, one)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_another_company(one: str, other: str) -> None:
    assert not same_company(one, other)


def test_a_person_is_known_by_every_mark_of_the_name() -> None:
    """Who may act on a case hangs on it: another dot is another account."""
    assert same_name("Li Wang", "ＬＩＷＡＮＧ")
    assert not same_name("li.wang", "liwang")


@pytest.mark.parametrize("unseen", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u3164", "\uffa0", "\ufe0f"])
def test_what_nobody_sees_in_a_name_makes_nobody_else(unseen: str) -> None:
    """E36: a second person is one that people can tell from the first."""
    assert same_name("he", f"h{unseen}e") and same_name(f"he{unseen}", "HE")
