"""Exact numbers: decimal text to scaled integers and back, without rounding.

Quantities and unit prices are integers of 10**-18, money is integers of 10**-36, so that
quantity x price is exact. Rounding to cents happens in `cents` alone, for reports.
"""

from __future__ import annotations

import re

from domain.errors import InvalidText

QUANTITY_PLACES = 18
MONEY_PLACES = 36
ONE_UNIT = 10**QUANTITY_PLACES
ONE_DOLLAR = 10**MONEY_PLACES

_POWERS: list[int] = [10**exponent for exponent in range(MONEY_PLACES + 1)]
_SHORT_PLACES = 6
_SHORT = 10 ** (MONEY_PLACES - _SHORT_PLACES)
_CENT = 10 ** (MONEY_PLACES - 2)
_PLAIN = {
    places: re.compile(rf"-?[0-9]{{1,20}}(?:\.[0-9]{{1,{places}}})?", re.ASCII)
    for places in (QUANTITY_PLACES, MONEY_PLACES)
}


def scaled(text: str, places: int) -> int:
    """The decimal `text` as an integer of 10**-places. The text must be plain (see `check`)."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction) * _POWERS[places - len(fraction)]


def quantity(text: str) -> int:
    """Units of an asset (or a unit price) as an integer of 10**-18."""
    return scaled(text, QUANTITY_PLACES)


def money(text: str) -> int:
    """An amount in the taxpayer's currency as an integer of 10**-36."""
    return scaled(text, MONEY_PLACES)


def check(text: str, what: str, places: int = QUANTITY_PLACES) -> str:
    """The canonical spelling of a plain decimal: no leading or trailing zeros, no '-0'.

    Raises InvalidText for anything else: exponents, separators, signs other than '-',
    non-ASCII digits, more than 20 digits before or `places` digits after the point.
    """
    if not _PLAIN[places].fullmatch(text):
        remedy = f"write a plain decimal such as 12.5 (at most 20 digits, {places} decimals)"
        raise InvalidText(what, str(text), remedy)
    is_canonical = (text[0] not in "-0" or text[:2] == "0." or text == "0") and not (
        text[-1] == "0" and "." in text
    )
    return text if is_canonical else format_scaled(scaled(text, places), places)


def format_scaled(value: int, places: int) -> str:
    """An integer of 10**-places as plain decimal text without trailing zeros."""
    if value < 0:
        return "-" + format_scaled(-value, places)
    digits = str(value)
    fraction = digits[-places:].rjust(places, "0").rstrip("0")
    whole = digits[:-places] or "0"
    return f"{whole}.{fraction}" if fraction else whole


def format_quantity(value: int) -> str:
    """Units (integer of 10**-18) as plain decimal text."""
    return format_scaled(value, QUANTITY_PLACES)


def format_money(value: int) -> str:
    """Money (integer of 10**-36) as plain decimal text, unrounded."""
    short, rest = divmod(value, _SHORT)
    if rest:
        return format_scaled(value, MONEY_PLACES)
    return format_scaled(short, _SHORT_PLACES)  # the same, from far fewer digits


def half_up(number: int, by: int) -> int:
    """`number` divided by `by` (above zero), to the nearest integer, halves up."""
    return (2 * number + by) // (2 * by)


def cents(value: int) -> str:
    """Money rounded to cents, half up (away from zero): the one rounding, for reports."""
    sign = "-" if value < 0 else ""
    rounded = (abs(value) * 2 + _CENT) // (2 * _CENT)
    text = f"{rounded // 100}.{rounded % 100:02d}"
    return sign + text if rounded else text


def grouped(value: int) -> str:
    """Money in cents, half up, with thousands separators, for people."""
    text = cents(value)
    sign = "-" if text.startswith("-") else ""
    whole, _, fraction = text.lstrip("-").partition(".")
    return f"{sign}{int(whole):,}.{fraction}"


def times(price: str, units: str) -> str:
    """price x units, exact, as money text (both are plain decimals of at most 18 places)."""
    price_whole, _, price_fraction = price.partition(".")
    whole, _, fraction = units.partition(".")
    product = int(price_whole + price_fraction) * int(whole + fraction)
    places = len(price_fraction) + len(fraction)
    return format_scaled(product, places) if places else str(product)
