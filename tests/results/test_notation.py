"""How numbers, settings and lists are written."""

import math

import pytest

from lrbench.results.notation import factor, interval, listed, number, setting_value


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (500, "500"),
        (0.1, "0.100"),
        (12.34, "12.3"),
        (3.1e-12, "3.10e-12"),
        (113_613.5, "114,000"),
        (float("inf"), "inf"),
        (float("nan"), "–"),
        (-0.5, "-0.500"),
    ],
)
def test_numbers(x, text):
    assert number(x) == text


@pytest.mark.parametrize("x", [1.234567e-19, 3.3e-7, 0.0123456, 1 / 3, 47.11, 999_999.7, 6.02e23])
def test_a_written_number_has_three_digits(x):
    assert float(number(x)) == pytest.approx(x, rel=5.001e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-5, "1e-5"),
        (1.0, "1"),
        (True, "true"),
        (None, "null"),
        ((0.9, 0.999), "[0.9,0.999]"),
        ((None, 1e-3), "[null,0.001]"),
        ("mean", "mean"),
        (3, "3"),
    ],
)
def test_setting_values_are_written_as_hydra_reads_them(value, text):
    assert setting_value(value) == text


def test_lists():
    assert [listed(list("abcdefgh"[:n])) for n in (0, 1, 2, 6, 8)] == [
        "",
        "a",
        "a and b",
        "a, b, c, d, e and f",
        "a, b, c, d, e and 3 others",
    ]


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        *[
            (0.0009996, "0.00100"),
            (999.96, "1,000"),
            (79459.0, "79,459"),
            (4750.3, "4,750"),
            (999499.9, "999,000"),
            (999999.0, "999,999"),
        ],
        *[
            (999999.5, "1.00e6"),
            (1e6, "1.00e6"),
            (1.19e6, "1.19e6"),
            (1 + 2**-52, "1"),
            (1.001, "1.00"),
            (-1234.5, "-1,230"),
            (-0.0, "0"),
        ],
    ],
)
def test_numbers_have_one_form(x, shown):
    assert number(x) == shown


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (1.036, "1.04"),
        (1.994, "1.99"),
        (1.996, "2.0"),
        (3.44, "3.4"),
        (1234.0, "1,200"),
        (114000.0, "110,000"),
        (995000.0, "1.0e6"),
        (1.19e6, "1.2e6"),
        (0.0, "0"),
    ],
)
def test_factors_have_the_form_of_numbers(x, shown):
    assert factor(x) == shown


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ((5.099, 5.101), "5.1"),
        ((5.0, 5.2), "5.1 (5.0–5.2)"),
        ((1.0, 1.02), "5.1 (1.00–1.02)"),
        ((math.nan, math.nan), "5.1"),
    ],
)
def test_an_interval_without_width_is_not_printed(ends, shown):
    assert interval({"ratio": 5.1, "low": ends[0], "high": ends[1]}) == shown
