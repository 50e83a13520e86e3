"""The day from which basis is kept per wallet: that day's own sales count as per wallet."""

from __future__ import annotations

import pytest

from tests.domain.make import buy, cells, result, sell


@pytest.mark.parametrize(("sold", "lot"), [("2024-12-31", "a"), ("2025-01-01", "b")])
def test_a_sale_on_new_years_day_of_2025_takes_from_its_own_wallet(sold: str, lot: str) -> None:
    """Reg. 1.1012-1(j); Rev. Proc. 2024-28: before, the oldest units of the universal pool went."""
    answer = result(
        buy("a", "2023-01-03", "1", "10", asset="Y"),
        buy("b", "2024-01-03", "1", "20", asset="Y", account="B"),
        sell("s", sold, "1", "30", asset="Y", account="B"),
        policy={"pool": "universal_before_2025"},
    )
    assert cells(answer["disposals"], "lot") == [(lot,)]
