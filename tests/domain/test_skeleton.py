"""Names that are taken for each other have one skeleton, however they are typed; others have not."""

from __future__ import annotations

import string

import pytest

from domain.skeleton import mixes_scripts, own_part, plain, skeleton

NAME = "义乌北苑直播基地"
ALIKE = [
    (NAME, "義烏北苑直播基地"),  # traditional characters
    (NAME, "义乌北苑淘宝直播基地"),  # with the title
    (NAME, "淘宝直播义乌北苑基地"),
    (NAME, "义乌北苑电商直播基地"),
    (NAME, "义 乌·北苑（直播）基地"),  # spaces and punctuation
    (NAME, "义乌\u200b北\u2060苑直播\ufeff基地"),  # what nobody sees
    (NAME, "义乌\u202e北苑直播基地"),
    (NAME, "义乌北苑\u3164直播基地"),
    (NAME, "义乌北苑\ufe00直播基地"),
    (NAME, "义乌北苑直播产业园有限公司"),
    (NAME, "义乌北苑直播基地股份有限公司"),
    ("义乌云集电子商务有限公司", "义乌云集电子商务有限责任公司"),
    ("义乌云集电子商务有限公司", "义乌云集（集团）股份有限公司"),
    ("Yunji Live", "ＹＵＮＪＩ　ＬＩＶＥ"),  # full width
    ("Yunji Live", "Үunјi Live"),  # Cyrillic
    ("TAOBAO", "ТАОВАО"),
    ("alipay", "ΑLΙΡΑΥ"),  # Greek
    ("Alipay", "A1ipay"),
    ("Alipay", "AIipay"),
    ("modern", "modem"),
    ("Cloudmarket (H.K.) Co., Ltd.", "CLOUDMARKET HK LIMITED"),
    ("云工坊", "云エ坊"),  # katakana
    ("云口岸", "云ロ岸"),
    ("北苑一号", "北苑—号"),
    ("云工坊", "云⼯坊"),  # a radical's sign
    ("cafe", "café"),
    ("𝐓𝐚𝐨𝐛𝐚𝐨", "taobao"),  # letters of mathematics
    ("ﬁne", "FINE"),
    ("①号基地", "1号基地"),
    ("直播0号", "直播O号"),
]
DIFFERENT = [
    (NAME, "义乌南苑直播基地"),
    (NAME, "义乌北苑二期直播基地"),
    ("北苑二期直播基地", "北苑三期直播基地"),
    (NAME, "义乌直播基地"),
    ("柯桥布艺直播基地", "慈溪小家电直播基地"),
    ("Cloudmarket", "Cloudmark"),
    ("直播基地", "产业园"),
    ("有限公司", "集团"),
    ("直播2号", "直播Z号"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_taken_for_each_other(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_nobody_takes_for_each_other(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize(
    "name", ["直播基地", "淘宝直播基地", "有限公司", "Co., Ltd.", "一", "—一", "base", "l", "0", "公司公司"]
)
def test_something_is_always_left(name: str) -> None:
    assert skeleton(name)


@pytest.mark.parametrize("name", ["", " ", "%", "_", "\\", "🎉", "\u200b"])
def test_nothing_is_left_of_nothing(name: str) -> None:
    assert skeleton(name) == ""


def test_it_is_its_own_skeleton() -> None:
    for name in {name for pair in ALIKE + DIFFERENT for name in pair}:
        assert skeleton(skeleton(name)) == skeleton(name), name


def test_only_letters_that_look_alike_are_one() -> None:
    """The table is Unicode's: a newer one that took more letters for one would flag every name."""
    letters = string.ascii_lowercase + string.digits
    groups: dict[str, str] = {}
    for letter in letters:
        groups[plain(letter)] = groups.get(plain(letter), "") + letter
    assert sorted(alike for alike in groups.values() if len(alike) > 1) == ["il1", "o0"]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("义乌北苑淘宝直播基地", "义乌北苑"),
        ("義烏北苑淘寶直播基地", "义乌北苑"),
        ("义乌北苑淘宝直播", "义乌北苑"),
        ("淘宝直播基地", ""),
        ("淘宝义乌北苑基地", plain("淘宝义乌北苑基地")),
        ("天猫直播基地", plain("天猫直播基地")),
    ],
)
def test_the_title_the_scheme_grants_is_no_part_of_the_base_s_own_name(name: str, own: str) -> None:
    assert own_part(name) == own


@pytest.mark.parametrize("name", ["Tаobao 基地", "Yunјi", "Ωmega live Αlpha"])
def test_a_word_of_several_alphabets(name: str) -> None:
    assert mixes_scripts(name)


@pytest.mark.parametrize("name", [NAME, "Yunji 直播基地", "Yunji Союз", "Ｔａｏ直播", "云上Live"])
def test_words_of_one_alphabet_each(name: str) -> None:
    assert not mixes_scripts(name)
