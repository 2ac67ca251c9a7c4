"""Quantities against facts of apimachinery's `resource.Quantity`, each of which was checked with the Go package."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinproof.scenario.quantity import Quantity

CANONICAL = [
    ("0", "0"),
    ("0Gi", "0"),
    ("-0", "0"),
    ("1024Mi", "1Gi"),
    ("0.5Gi", "512Mi"),
    ("1.5Gi", "1536Mi"),
    ("1.5", "1500m"),
    ("1500m", "1500m"),
    ("1000m", "1"),
    ("1G", "1G"),
    ("1000M", "1G"),
    ("1e9", "1e9"),
    ("1e10", "10e9"),
    ("12e-1", "1200e-3"),
    ("1E", "1E"),
    ("100n", "100n"),
    ("0.1n", "1n"),
    ("1.0000000001", "1000000001n"),
    ("0.5Ki", "512"),
    ("0.25", "250m"),
    (".5", "500m"),
    ("1.", "1."),
    ("1023", "1023"),
    ("2048Ki", "2Mi"),
    ("1.1Ki", "1126400m"),
    ("-1Gi", "-1Gi"),
    ("9Ei", "9223372036854775807"),
    ("100000E", "100"),
]


@pytest.mark.parametrize(("text", "expected"), CANONICAL)
def test_prints_as_upstream(text: str, expected: str) -> None:
    """A quantity prints in the format it was written in, with the largest suffix that loses nothing."""
    assert expected == str(Quantity.parse(text))


@pytest.mark.parametrize("text", ["+1Ki", "0005", "1.500", "1E3", "1e03", "01Gi"])
def test_text_that_looks_canonical_is_repeated(text: str) -> None:
    """Upstream repeats some texts as they were written although they are not canonical."""
    assert text == str(Quantity.parse(text))


@pytest.mark.parametrize(
    "text", ["", "Gi x", "1 Gi", "1GiB", "1gi", "1K", "1e", "1Ki3", "--1", "0x10", "1_000", "Pi", "½", "9" * 5000]
)
def test_refuses_what_is_not_a_quantity(text: str) -> None:
    """Anything else is refused with the suffixes that exist."""
    with pytest.raises(ValueError, match="suffix"):
        Quantity.parse(text)


def test_refuses_an_absurd_exponent() -> None:
    """An exponent that would need gigabytes of digits is refused and not computed."""
    with pytest.raises(ValueError, match="exponent beyond"):
        Quantity.parse("1e999999999")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1Gi", 2**30), ("1G", 10**9), ("1e3", 1000), ("1.5G", 1_500_000_000), ("1k", 1000), ("0", 0), ("-1Gi", -(2**30))],
)
def test_exact_int(text: str, expected: int) -> None:
    """Whole numbers in upstream's int64 form convert."""
    assert expected == Quantity.parse(text).exact_int()


@pytest.mark.parametrize("text", ["0.5Gi", "1.0", "1000m", "100m", "1Pi", "100Ti", "123456Gi", "10E", "1e-3"])
def test_no_exact_int(text: str) -> None:
    """Fractions do not convert, nor what upstream holds as a big decimal, whole number or not."""
    assert Quantity.parse(text).exact_int() is None


@pytest.mark.parametrize(
    ("text", "value", "milli"), [("100m", 1, 100), ("1.0001", 2, 1001), ("1n", 1, 1), ("2Ki", 2048, 2048000)]
)
def test_integers_are_rounded_up(text: str, value: int, milli: int) -> None:
    """`Value` and `MilliValue` round up."""
    amount = Quantity.parse(text)

    assert (value, milli) == (amount.value(), amount.milli())


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("0", "1Gi", "1Gi"),
        ("1Gi", "1G", "2073741824"),
        ("1G", "1Gi", "2073741824"),
        ("100Mi", "156Mi", "256Mi"),
        ("0Gi", "1G", "1G"),
        ("1Gi", "0", "1Gi"),
        ("500m", "1500m", "2"),
        ("1", "1Ki", "1025"),
        ("1e3", "1Ki", "2024"),
    ],
)
def test_sum_keeps_the_format_of_its_first_operand(first: str, second: str, expected: str) -> None:
    """A sum prints in the format of its first operand, and of the second if the first is zero."""
    assert expected == str(Quantity.parse(first) + Quantity.parse(second))


def test_equal_by_value() -> None:
    """Spelling and format do not matter for equality, order and hash."""
    assert {Quantity.parse("1Gi")} == {Quantity.parse("1024Mi"), Quantity.parse("1073741824"), Quantity.of_bytes(2**30)}
    assert Quantity.parse("1G") < Quantity.parse("1Gi")


def test_of_bytes() -> None:
    """A number of bytes prints in binary or decimal suffixes."""
    assert ("1536Mi", "1500M") == (str(Quantity.of_bytes(3 * 2**29)), str(Quantity.of_bytes(15 * 10**8, binary=False)))


SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "e-4", "E+2"]
digits = st.integers(min_value=-(10**20), max_value=10**20).map(str)
fractions = st.one_of(st.just(""), st.integers(min_value=0, max_value=10**12).map(lambda number: f".{number}"))
numbers = st.builds("{}{}{}".format, digits, fractions, st.sampled_from(SUFFIXES))


@settings(deadline=None)
@given(numbers)
def test_canonical_text_reads_back(text: str) -> None:
    """The canonical text means the same amount, as long as upstream has a suffix for it."""
    amount = Quantity.parse(text)

    if abs(amount.nano) < 1000 * 10**27:
        assert amount == Quantity.parse(amount.canonical())


@settings(deadline=None)
@given(numbers, numbers)
def test_addition_is_exact_and_commutes(first: str, second: str) -> None:
    """Sums are exact; only the format depends on the order."""
    a, b = Quantity.parse(first), Quantity.parse(second)

    assert a.nano + b.nano == (a + b).nano == (b + a).nano


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**63 - 1), st.booleans())
def test_bytes_survive(count: int, binary: bool) -> None:
    """A number of bytes comes back whatever suffix it prints with."""
    assert count == Quantity.parse(str(Quantity.of_bytes(count, binary=binary))).value()
