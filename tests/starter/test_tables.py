"""Tables in a terminal: whatever its width, nothing is cut but texts, and they only between words."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from starter.tables import Column, Loud, lay_out, wrap

NUMBER, NAME, DUE = "LB-2026-000001", "杭州九堡电商直播产业园区基地", "2026-12-07 24:00"
REASON = "the lease names another company, 租赁合同写的是另一家公司,and none of the ten rooms has a door"
LIST = [Column("case"), Column("base"), Column("due"), Column("standing"), Column("CNY", right=True)]
ROWS = [(NUMBER, NAME, DUE, "applicant", "100,000.00"), ("LB-2026-000002", "义乌基地", "", "certified", "0.00")]
TEXTS = [Column("case"), Column("who"), Column("reason", gives_way=True)]

words = st.text(st.sampled_from("abc基地,。 -1"), min_size=0, max_size=40)
columns = st.lists(st.booleans(), min_size=1, max_size=6)


def test_side_by_side_where_there_is_room() -> None:
    assert lay_out(LIST, ROWS, 100) == [
        " case             base                           due                standing           CNY",
        " " + "─" * 89,
        " LB-2026-000001   杭州九堡电商直播产业园区基地   2026-12-07 24:00   applicant   100,000.00",
        " LB-2026-000002   义乌基地                                          certified         0.00",
    ]


def test_what_finds_no_room_follows_below_its_row_with_its_heading() -> None:
    assert lay_out(LIST, ROWS, 64) == [
        " case            base                          due",
        " " + "─" * 62,
        " LB-2026-000001  杭州九堡电商直播产业园区基地  2026-12-07 24:00",
        "     standing applicant   CNY 100,000.00",
        " LB-2026-000002  义乌基地",
        "     standing certified   CNY 0.00",
    ]


def test_texts_give_way_beside_and_go_below_before_they_get_too_narrow() -> None:
    row = [(NUMBER, "reviewer:li", REASON)]
    beside, below = lay_out(TEXTS, row, 80), lay_out(TEXTS, row, 50)
    assert beside[3].startswith(" " * 32 + "另一家公司")
    assert below[2] == f" {NUMBER}   reviewer:li"
    assert below[3].startswith("     the lease names")
    for lines, width in ((beside, 80), (below, 50)):
        assert all(cell_len(line) <= width for line in lines)


def test_columns_without_a_value_are_left_out() -> None:
    lines = lay_out(LIST, [(NUMBER, "", "", "", "")], 80)
    assert lines[0].split() == ["case"]
    assert lines[-1].split() == [NUMBER]


def test_no_rows_still_have_a_heading() -> None:
    assert lay_out(LIST, [], 80)[0].split() == ["case", "base", "due", "standing", "CNY"]


def test_a_table_without_headings_has_no_line_for_them() -> None:
    assert lay_out([Column(""), Column("", gives_way=True)], [("stage", "valid")], 80) == [" stage   valid"]


def test_a_link_stays_whole_however_long() -> None:
    link = "http://127.0.0.1:8233/namespaces/default/workflows/base%3A91330782MA2K7P3R1U%3A1/timeline"
    assert wrap(f"see {link} now", 40) == ["see", link, "now"]


def test_lines_break_between_words_and_characters_never_within_a_number_or_an_instant() -> None:
    assert wrap("by 2026-12-07 24:00 LB-2026-000001", 17) == ["by", "2026-12-07 24:00", "LB-2026-000001"]
    assert wrap("杭州基地,九堡。电商", 8) == ["杭州基", "地,九", "堡。电商"], "no line begins with a comma"
    assert wrap("one\ntwo", 80) == ["one", "two"]
    assert wrap("", 10) == [""]


def test_colour_marks_what_is_loud_and_moves_nothing() -> None:
    columns, row = [Column("outcome"), Column("message", gives_way=True)], (Loud("fail"), "no room")
    plain, coloured = lay_out(columns, [row], 60), lay_out(columns, [row], 60, colour=True)
    assert "\x1b[31mfail\x1b[0m" in coloured[-1]
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in coloured] == plain
    assert "\x1b" not in "".join(plain)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(columns, st.data(), st.integers(20, 160))
def test_nothing_is_lost_at_any_width(gives_way: list[bool], data: st.DataObject, width: int) -> None:
    """Every fixed cell and every word with the stops after it stands whole in a line no wider than need be."""
    heads = [Column(f"h{place}", text) for place, text in enumerate(gives_way)]
    rows = data.draw(st.lists(st.tuples(*[words.map(str.strip) for _ in heads]), min_size=1, max_size=4))
    lines = lay_out(heads, rows, width)
    shown = "\n".join(lines)
    widest = 0
    for row in rows:
        for column, cell in zip(heads, row, strict=True):
            pieces = re.findall(r"(?:[^\s\u2e80-\uffff]+|[\u2e80-\uffff])[,。]*", cell) if column.gives_way else [cell]
            assert all(piece in shown for piece in pieces)
            widest = max([widest, *(cell_len(piece) for piece in pieces)])
    assert all(cell_len(line) <= max(width, widest + 12) for line in lines)
