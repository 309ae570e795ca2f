"""One colour, mark and dashes an optimizer, wherever it stands, and none that a neighbour has."""

import re
from itertools import combinations

import pytest
from conftest import run
from drawn import draw
from hypothesis import given
from hypothesis import strategies as st

from lrbench.config import CONF
from lrbench.results.figures.looks import FAMILIES, KNOWN, NIGHTS, OTHER_COLOURS, looks
from lrbench.results.figures.night import with_night, without_night
from lrbench.results.figures.save import save

OWN = st.lists(st.text(min_size=1, max_size=8), max_size=45)


def test_what_lrbench_offers_looks_alike_everywhere():
    offered = {path.stem for path in (CONF / "optimizer").glob("*.yaml")} - {"custom"}
    assert offered <= set(KNOWN)
    alone = {name: looks([name])[name] for name in offered}
    assert looks(offered) == alone
    assert looks([*offered, "Mine", "Other"]).items() > alone.items()


def test_no_two_of_the_table_are_alike():
    for one, other in combinations(KNOWN.values(), 2):
        assert one.colour != other.colour
        assert one.night != other.night
        assert (one.mark, one.dashes) != (other.mark, other.dashes)
    for mark, members in FAMILIES.items():
        assert {KNOWN[name].mark for name in members} == {mark}


def luminance(colour: str) -> float:
    """By WCAG 2.2, relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("day", NIGHTS)
def test_every_colour_is_seen_on_its_paper(day):
    """By WCAG 2.2, 1.4.11: 3 at least, on the page's paper and on its shade."""
    assert all(contrast(day, paper) >= 3 for paper in ("#ffffff", "#e9eef3"))
    assert all(contrast(NIGHTS[day], paper) >= 3 for paper in ("#0f1419", "#222b35"))


def test_a_class_of_the_name_of_one_of_the_table_is_that_one():
    """Unless that stands beside it."""
    assert looks(["Lion"])["Lion"] == KNOWN["lion"]
    both = looks(["adam", "Adam"])
    assert both["adam"] == KNOWN["adam"]
    assert both["Adam"].colour != both["adam"].colour


@given(OWN)
def test_others_look_as_their_names_say_and_like_no_neighbour(names):
    found = looks([*names, "adam"])
    assert len(set(found.values())) == len(found)
    few = len(found) <= len(KNOWN) + len(OTHER_COLOURS)
    assert len({look.colour for look in found.values()}) == len(found) or not few
    assert looks(reversed(["adam", *names])) == found


# ---- one SVG for light and for dark paper


def test_a_file_has_its_colours_by_day_and_by_night(write, tmp_path):
    results = write(run("sgd", lr=0.1), run("sgd", lr=0.2))
    svg = save(draw("loss_curves", results), tmp_path / "curves.svg").read_text()
    (style,) = re.findall(r'<style id="night">(.*?)</style>', svg)
    day, night = KNOWN["sgd"].colour, KNOWN["sgd"].night
    assert f'[style*="stroke:{day}"]{{stroke:{night}!important}}' in style
    assert '[style*="fill:#24292f"]{fill:#e6edf3!important}' in style
    plain = without_night(svg)
    assert "night" not in plain
    assert f"stroke:{day}" in plain
    assert with_night(plain) == svg
    assert KNOWN["adam"].colour not in style
