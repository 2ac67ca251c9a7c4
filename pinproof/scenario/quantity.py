"""Kubernetes quantities (`resource.Quantity` of apimachinery), exact to the text and to the conversion.

>>> str(Quantity.parse("1024Mi")), str(Quantity.parse("0.5Gi")), str(Quantity.parse("1.5"))
('1Gi', '512Mi', '1500m')
>>> Quantity.parse("1Gi") + Quantity.parse("512Mi")
Quantity('1536Mi')

Two facts of upstream decide outcomes of the Memory Manager and are kept here although they look like details:

* A quantity knows in which of three formats it was written, and sums are printed in that format.
* Upstream holds a quantity either as an int64 with a power of ten, or as a big decimal when the text does not
  obviously fit. `AsInt64` answers only for the first form without decimals, so `0.5Gi` and `1.0` in a manifest that no
  API server has rewritten do not convert, although they are whole numbers. `exact_int` follows that.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import ClassVar, Literal

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

_NANO = 10**9
"""Amounts are whole numbers of 10⁻⁹: nothing finer survives parsing."""

_INT64_MAX = 2**63 - 1
_INT64_DIGITS = 18
"""As many decimal digits fit an int64 whatever they are."""

_MAX_EXPONENT = 200
"""Far above any machine; keeps `1e999999999` from asking for a gigabyte of digits."""

_MAX_LENGTH = 200
"""Longer texts are refused unread; Python would not convert a few thousand digits."""

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()} | {0: ""}

_SYNTAX = re.compile(
    r"(?P<sign>[+-]?)0*(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?P<suffix>[eEinumkKMGTP]*[+-]?[0-9]*)", re.ASCII
)
_EXPONENT = re.compile(r"[eE](?P<power>[+-]?[0-9]+)", re.ASCII)

_HINT = "write a number with one of the suffixes Ki Mi Gi Ti Pi Ei, n u m k M G T P E, or an exponent such as 1e9"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Quantity:
    """An amount; equal, ordered and hashed by its value alone, as `Quantity.Cmp` does."""

    nano: int
    """The amount in units of 10⁻⁹."""

    format: Format = "DecimalSI"
    """How it prints; a sum takes the format of its first non-zero operand."""

    scale: int | None = 0
    """Power of ten of upstream's int64 form; None where upstream holds a big decimal."""

    written: str = ""
    """The text it was read from; empty for a computed quantity."""

    ZERO: ClassVar[Quantity]

    @classmethod
    @functools.lru_cache(maxsize=4096)
    def parse(cls, text: str) -> Quantity:
        """Read a quantity as `ParseQuantity` does; raises ValueError with what would be right."""
        match = _SYNTAX.fullmatch(text)
        if not text or len(text) > _MAX_LENGTH or match is None:
            raise ValueError(f"{text[:_MAX_LENGTH]!r} is not a quantity; {_HINT}")
        power, form = _suffix(match["suffix"], text)
        digits, part = match["whole"] or "0", match["part"] or ""
        sign = -1 if match["sign"] == "-" else 1
        amount = sign * int(digits + part)
        scale = _fast_scale(digits, part, power, form)
        if scale is not None:
            unit = 1 << power if form == "BinarySI" else 1
            return cls(nano=amount * unit * 10 ** (scale + 9), format=form, scale=scale, written=text)
        if not match["whole"] and not part and "0" not in text:
            raise ValueError(f"{text!r} has no digits; {_HINT}")
        nano = _big(amount, len(part), power, form)
        if form == "BinarySI" and 0 < abs(nano) < _NANO:
            form = "DecimalSI"
        return cls(nano=nano, format=form, scale=None, written=text)

    @classmethod
    def of_bytes(cls, count: int, *, binary: bool = True) -> Quantity:
        """A whole number of bytes that prints in Ki, Mi, Gi …, or with `binary=False` in k, M, G …."""
        return cls(nano=count * _NANO, format="BinarySI" if binary else "DecimalSI")

    def value(self) -> int:
        """The amount as an integer, rounded away from zero (`Value`).

        Upstream's answer is meaningless beyond int64, and for negative amounts as big decimals; this one is right.
        """
        return _divide_up(self.nano, _NANO)

    def milli(self) -> int:
        """The amount in thousandths, rounded away from zero (`MilliValue`)."""
        return _divide_up(self.nano, _NANO // 1000)

    def exact_int(self) -> int | None:
        """The amount where upstream's `AsInt64` succeeds, None where it says that it cannot."""
        if self.scale is None or self.scale < 0:
            return None
        whole = self.nano // _NANO
        return whole if abs(whole) <= _INT64_MAX else None

    def is_zero(self) -> bool:
        """Whether the amount is 0, in any format."""
        return self.nano == 0

    def __add__(self, other: Quantity) -> Quantity:
        """Sum in the format of `self`, or of `other` if `self` is zero (`Add`)."""
        form = self.format if self.nano else other.format
        return Quantity(nano=self.nano + other.nano, format=form, scale=_sum_scale(self, other))

    def __eq__(self, other: object) -> bool:
        return self.nano == other.nano if isinstance(other, Quantity) else NotImplemented

    def __lt__(self, other: Quantity) -> bool:
        return self.nano < other.nano

    def __le__(self, other: Quantity) -> bool:
        return self.nano <= other.nano

    def __gt__(self, other: Quantity) -> bool:
        return self.nano > other.nano

    def __ge__(self, other: Quantity) -> bool:
        return self.nano >= other.nano

    def __hash__(self) -> int:
        return hash(self.nano)

    def __str__(self) -> str:
        """As `Quantity.String()`: canonical, but a text that looks canonical enough is repeated as it was written."""
        return self.written if _kept(self.written) else self.canonical()

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def canonical(self) -> str:
        """The canonical text, whatever was written."""
        if not self.nano:
            return "0"
        whole, fraction = divmod(abs(self.nano), _NANO)
        sign = "-" if self.nano < 0 else ""
        if self.format == "BinarySI" and not fraction and whole >= 1024:
            digits, times = _strip(whole, 1024)
            return f"{sign}{digits}{_BINARY_SUFFIX.get(times * 10, '')}"
        digits, zeros = _strip(abs(self.nano), 10)
        power = zeros - 9
        digits *= 10 ** (power % 3)
        power -= power % 3
        if self.format == "DecimalExponent":
            return f"{sign}{digits}" + (f"e{power}" if power else "")
        return f"{sign}{digits}{_DECIMAL_SUFFIX.get(power, '')}"


Quantity.ZERO = Quantity(nano=0)


def _suffix(suffix: str, text: str) -> tuple[int, Format]:
    """Power (of two for BinarySI, else of ten) and format that a suffix stands for."""
    if suffix in _DECIMAL:
        return _DECIMAL[suffix], "DecimalSI"
    if suffix in _BINARY:
        return _BINARY[suffix], "BinarySI"
    match = _EXPONENT.fullmatch(suffix)
    if match is None:
        raise ValueError(f"{text!r} has the unknown suffix {suffix!r}; {_HINT}")
    power = int(match["power"])
    if abs(power) > _MAX_EXPONENT:
        raise ValueError(f"{text!r} has an exponent beyond ±{_MAX_EXPONENT}; {_HINT}")
    return power, "DecimalExponent"


def _fast_scale(digits: str, part: str, power: int, form: Format) -> int | None:
    """Scale of the int64 form that upstream chooses for these digits, None where it takes the big decimal."""
    if form == "BinarySI":
        room = 15 - len(digits) - power * 3 // 10 - 1
        return 0 if room >= 0 and not part else None
    scale = power - len(part)
    return scale if len(digits) + len(part) <= _INT64_DIGITS and scale >= -9 else None


def _big(amount: int, decimals: int, power: int, form: Format) -> int:
    """The amount in 10⁻⁹: what is finer is rounded away from zero, what has a binary suffix is capped at int64."""
    numerator, denominator = abs(amount) * _NANO, 10**decimals
    if form == "BinarySI":
        numerator <<= power
    elif power >= 0:
        numerator *= 10**power
    else:
        denominator *= 10**-power
    nano = _divide_up(numerator, denominator)
    if form == "BinarySI":
        nano = min(nano, _INT64_MAX * _NANO)
    return -nano if amount < 0 else nano


def _sum_scale(first: Quantity, second: Quantity) -> int | None:
    """Scale of a sum in its int64 form, None where it needs a big decimal."""
    if first.scale is None or second.scale is None:
        return None
    if not second.nano:
        return first.scale
    if not first.nano:
        return second.scale
    scale = min(first.scale, second.scale)
    unit = 10 ** (scale + 9)
    parts = (first.nano // unit, second.nano // unit, (first.nano + second.nano) // unit)
    return scale if all(abs(part) <= _INT64_MAX for part in parts) else None


def _kept(text: str) -> bool:
    """Whether upstream repeats this text as it stands, because its quick look finds it canonical."""
    match = _SYNTAX.fullmatch(text)
    if not text or match is None:
        return False
    power, form = _suffix(match["suffix"], text)
    digits, part = match["whole"] or "0", match["part"] or ""
    scale = _fast_scale(digits, part, power, form)
    if scale is None:
        return False
    if form == "BinarySI":
        return int(digits) % 8 != 0
    return scale % 3 == 0 and not (digits + part).endswith("000") and not (digits + part).startswith("0")


def _strip(number: int, base: int) -> tuple[int, int]:
    """`number` without its factors of `base`, and how many those were."""
    times = 0
    while number % base == 0:
        number //= base
        times += 1
    return number, times


def _divide_up(number: int, divisor: int) -> int:
    """Division, rounded away from zero."""
    quotient = -(-abs(number) // divisor)
    return -quotient if number < 0 else quotient
