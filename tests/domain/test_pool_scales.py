"""Units of a group of pools: cut finely enough that splits and ratios need no rounding."""

from __future__ import annotations

import pytest

from tests.domain.pool_books.records import book_of, plain
from tests.domain.pool_books.told import Json, buy, sell

HALF = {"id": "XH", "class": "crypto", "group": "X", "ratio": "0.5"}
ASSETS = [{"id": "X", "class": "crypto", "group": "X"}, HALF]


def split(day: str, num: str, den: str, asset: str = "X") -> Json:
    return {"type": "split", "date": day, "asset": asset, "num": num, "den": den}


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_a_ratio_first_seen_after_two_splits_is_in_units_of_that_day(law: str) -> None:
    """2 X become 6, then 15. 4 XH are 2 X of that day: 17 cost 34, so 30 and 4."""
    book = book_of(law, buy("2020-01-06", 2, 20), split("2021-01-04", "3", "1"),
                   split("2021-02-01", "5", "2"), buy("2022-01-04", 4, 14, asset="XH"),
                   assets=ASSETS)  # fmt: skip
    assert [(plain(lot)["asset"], plain(lot)["quantity"], plain(lot)["basis"])
            for lot in book.open_lots()] == [("X", "15", "30"), ("XH", "4", "4")]  # fmt: skip
    scales = {lot.asset.id: book.scales.of(lot.asset) for lot in book.open_lots()}
    assert (book.scales.parts, scales) == ({"X": 30}, {"X": 4, "XH": 2})
    assert book.weights == {"X": (2, 15), "XH": (1, 15)}


def test_a_split_of_an_asset_beside_the_base_changes_no_other() -> None:
    """4 XH are 2 X, so 6 cost 36; three for one, 12 XH are 2 X still, and 6 of them one: 6."""
    book = book_of("UK", buy("2020-01-06", 4, 24), buy("2020-01-07", 4, 12, asset="XH"),
                   split("2021-01-04", "3", "1", "XH"), sell("2022-01-04", 6, 60, asset="XH"),
                   assets=ASSETS)  # fmt: skip
    assert [plain(row)["own_basis"] for row in book.disposals] == ["6"]
    assert book.weights == {"X": (1, 1), "XH": (1, 6)}
    assert book.scales.parts == {"X": 6}


def test_a_reverse_split_needs_no_finer_parts() -> None:
    """One new for four old: a new one is four units of the group."""
    book = book_of("UK", buy("2020-01-06", 8, 80), split("2021-01-04", "1", "4"))
    (lot,) = book.open_lots()
    assert (book.scales.parts, book.scales.of(lot.asset)) == ({"X": 1}, 4)
    assert (plain(lot)["quantity"], plain(lot)["basis"]) == ("2", "80")


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_a_split_beside_the_base_before_its_first_fact_changes_nothing(law: str) -> None:
    """Decision 0016: the ratio is stated as of the first fact, so 4 XH are 2 X: 6 cost 36."""
    book = book_of(law, buy("2020-01-06", 4, 24), split("2021-01-04", "3", "1", "XH"),
                   buy("2021-02-01", 4, 12, asset="XH"), assets=ASSETS)  # fmt: skip
    assert book.weights == {"X": (1, 1), "XH": (1, 2)}
    assert [(plain(lot)["asset"], plain(lot)["quantity"], plain(lot)["basis"])
            for lot in book.open_lots()] == [("X", "4", "24"), ("XH", "4", "12")]  # fmt: skip
