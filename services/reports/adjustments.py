"""The line of Form 8949 that a sale and the broker's statement of it lead to together."""

from __future__ import annotations

from domain.exact import cents
from services.reports.form_8949 import difference
from services.reports.pairing import BrokerRow
from services.reports.sales import Sale
from services.reports.tables import form_date

_SECURITIES, _DIGITAL = ("ABC", "DEF"), ("GHI", "JKL")


def line_of(ours: Sale, theirs: BrokerRow | None) -> dict[str, str]:
    """Box and columns (a) to (h): the statement's figures, corrected in column (g).

    With basis reported to the IRS, (d) and (e) are the statement's and (g) corrects them (code
    B); without, (e) is ours and needs no code. Costs that the statement leaves out of the
    proceeds are code E, other proceeds O, a wrong term T (Instructions for Form 8949, column (f)).
    """
    letters = set(ours.code)
    proceeds, basis = ours.proceeds, ours.basis
    if theirs is not None:
        proceeds = theirs.proceeds
        if cents(theirs.proceeds) != cents(ours.proceeds):
            letters.add("E" if theirs.proceeds > ours.proceeds else "O")
        if theirs.basis is not None:
            basis = theirs.basis
            if cents(theirs.basis) != cents(ours.basis):
                letters.add("B")
        if theirs.term and theirs.term != ours.term:
            letters.add("T")
        if cents(theirs.wash) != cents(ours.wash):
            letters.add("W")
    adjustment = ours.taxable - proceeds + basis
    shown = [cents(each) for each in (proceeds, basis, adjustment)]
    return {
        "box": _box(ours, theirs),
        "a": ours.description,
        "b": form_date(ours.acquired),
        "c": form_date(ours.sold),
        "d": shown[0],
        "e": shown[1],
        "f": "".join(sorted(letters)),
        "g": shown[2] if letters else "",
        "h": difference(*shown),
    }


def _box(ours: Sale, theirs: BrokerRow | None) -> str:
    """The box of the statement actually received: with basis, without, none."""
    family = _DIGITAL if ours.box in "GHIJKL" else _SECURITIES
    column = 2 if theirs is None else 0 if theirs.basis is not None else 1
    return family[ours.is_long][column]
