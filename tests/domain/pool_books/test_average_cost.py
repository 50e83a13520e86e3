"""Canada: one average cost, and the superficial loss before and after, by anyone affiliated."""

from __future__ import annotations

from domain.decisions import AssetDeclared, Bust, PolicyElected
from domain.exact import ONE_DOLLAR
from domain.facts import Buy
from domain.portfolio import Portfolio
from tests.domain.pool_books.told import Json, answer, buy, sell


def ca(*events: Json, as_of: str = "2030-12-31", **more: object) -> Json:
    return answer("CA", list(events), as_of, **more)


def figures(result: Json, at: int = 0) -> tuple[str, str, str, str]:
    row = result["ca_disposals"][at]
    return row["acb"], row["gain"], row["denied"], row["taxable"]


def pool(result: Json) -> tuple[str, str]:
    return result["ca_pool"]["qty"], result["ca_pool"]["acb"]


def test_identical_property_has_one_average_cost_over_all_accounts() -> None:
    """ITA 47(1): (100 + 300) / 20 = 20 each."""
    result = ca(buy("2023-01-01", 10, 100), buy("2023-06-01", 10, 300, account="B"),
                sell("2024-01-01", 5, 150))  # fmt: skip
    assert figures(result) == ("100", "50", "0", "50")
    assert pool(result) == ("15", "300")


def test_a_loss_without_purchases_around_it_stands() -> None:
    result = ca(buy("2023-01-01", 10, 100), sell("2024-01-01", 5, 20), buy("2024-02-01", 5, 20))
    assert figures(result) == ("50", "-30", "0", "-30")
    assert pool(result) == ("10", "70")


def test_a_purchase_on_the_thirtieth_day_after_denies_it() -> None:
    """S 5, P 5, B 10: all of 30 joins the cost of what was bought."""
    result = ca(buy("2023-01-01", 10, 100), sell("2024-01-01", 5, 20), buy("2024-01-31", 5, 20))
    assert figures(result) == ("50", "-30", "30", "0")
    assert pool(result) == ("10", "100")


def test_a_purchase_thirty_days_before_denies_it_and_the_cost_rises_at_once() -> None:
    """400/20 = 20 each; 5 sold for 40 lose 60, denied: 15 left cost 300 + 60."""
    result = ca(buy("2023-01-01", 10, 300), buy("2023-12-02", 10, 100), sell("2024-01-01", 5, 40),
                sell("2024-03-15", 5, 200))  # fmt: skip
    assert figures(result) == ("100", "-60", "60", "0")
    assert figures(result, 1) == ("120", "80", "0", "80")
    before = ca(buy("2023-01-01", 10, 300), buy("2023-12-01", 10, 100), sell("2024-01-01", 5, 40))
    assert figures(before) == ("100", "-60", "0", "-60")


def test_only_as_many_as_were_acquired() -> None:
    """S 10, P 4, B 14: 4/10 of 50 denied."""
    result = ca(buy("2023-01-01", 20, 200), sell("2024-01-01", 10, 50), buy("2024-01-10", 4, 20))
    assert figures(result) == ("100", "-50", "20", "-30")
    assert pool(result) == ("14", "140")


def test_only_as_many_as_are_held_at_the_end() -> None:
    """S 10, P 10, B 3: 3/10 of 50 denied; they join the pool with the purchase."""
    result = ca(buy("2023-01-01", 10, 100), sell("2024-01-01", 10, 50), buy("2024-01-10", 10, 60),
                sell("2024-01-20", 7, 70))  # fmt: skip
    assert figures(result) == ("100", "-50", "15", "-35")
    assert figures(result, 1) == ("52.5", "17.5", "0", "17.5")
    assert pool(result) == ("3", "22.5")


def test_the_denied_part_waits_for_the_purchase_that_it_goes_to() -> None:
    """Between the loss and the purchase 10 January the others still cost 10 each."""
    result = ca(buy("2023-01-01", 10, 100), sell("2024-01-01", 5, 20), sell("2024-01-05", 2, 30),
                buy("2024-01-10", 5, 20))  # fmt: skip
    assert figures(result) == ("50", "-30", "30", "0")
    assert figures(result, 1) == ("20", "10", "0", "10")
    assert pool(result) == ("8", "80")


def test_units_bought_before_take_no_more_of_it_than_are_still_held() -> None:
    """S 4, P 8, B 3: 30 denied; the 1 of 20 December still held takes 10, those of January 20."""
    result = ca(buy("2023-12-20", 5, 100), sell("2024-01-01", 4, 40), sell("2024-01-02", 1, 200),
                buy("2024-01-10", 3, 30))  # fmt: skip
    assert figures(result) == ("80", "-40", "30", "-10")
    assert figures(result, 1) == ("30", "170", "0", "170")
    assert pool(result) == ("3", "50")


def test_nothing_held_at_the_end_denies_nothing() -> None:
    result = ca(buy("2024-01-01", 10, 100), sell("2024-01-05", 10, 50))
    assert figures(result) == ("100", "-50", "0", "-50")


def test_what_a_spouse_buys_denies_it_and_takes_the_cost() -> None:
    result = ca(buy("2023-01-01", 10, 100), sell("2024-01-01", 10, 50),
                buy("2024-01-10", 5, 30, account="wife"))  # fmt: skip
    assert figures(result) == ("100", "-50", "25", "-25")
    assert [(lot["account"], lot["basis"]) for lot in result["open_lots"]] == [("wife", "55")]


def test_what_a_registered_plan_buys_denies_it_for_good() -> None:
    result = ca(buy("2023-01-01", 10, 100), sell("2024-01-01", 10, 50),
                buy("2024-01-10", 5, 30, account="plan"))  # fmt: skip
    assert figures(result) == ("100", "-50", "25", "-25")
    assert [(lot["account"], lot["basis"]) for lot in result["open_lots"]] == [("plan", "30")]


def test_what_a_controlled_company_buys_denies_it_and_its_own_sales_are_no_rows() -> None:
    result = ca(buy("2023-01-01", 10, 100), sell("2024-01-01", 10, 50),
                buy("2024-01-10", 10, 60, account="firm"),
                sell("2024-06-01", 5, 10, account="firm"))  # fmt: skip
    assert [row["event"] for row in result["ca_disposals"]] == ["e2"]
    assert figures(result) == ("100", "-50", "50", "0")
    assert [(lot["account"], lot["basis"]) for lot in result["open_lots"]] == [("firm", "55")]


def test_the_denied_part_goes_to_each_who_acquired() -> None:
    """10 sold at a loss of 50; 4 bought by the spouse, then 6 by the taxpayer: 20 and 30."""
    result = ca(buy("2023-01-01", 10, 100), sell("2024-01-01", 10, 50),
                buy("2024-01-05", 4, 4, account="wife"), buy("2024-01-10", 6, 6))  # fmt: skip
    assert figures(result) == ("100", "-50", "50", "0")
    lots = {(lot["account"], lot["basis"]) for lot in result["open_lots"]}
    assert lots == {("A", "36"), ("wife", "24")}


def test_what_the_acquirer_has_sold_again_joins_the_pool_that_holds_the_most() -> None:
    """S 5, P 5, B 5: the spouse bought and sold before; 30 goes to the seller's own five."""
    result = ca(buy("2023-01-01", 10, 100), buy("2023-12-20", 5, 40, account="wife"),
                sell("2023-12-28", 5, 60, account="wife"), sell("2024-01-01", 5, 20))  # fmt: skip
    assert figures(result) == ("50", "-30", "30", "0")
    assert pool(result) == ("5", "80")


def test_a_book_whose_only_fact_is_taken_back_is_empty() -> None:
    portfolio = Portfolio()
    law = PolicyElected(effective_at="0001-01-01", jurisdiction="CA")
    asset = AssetDeclared(effective_at="0001-01-01", asset="X", asset_class="stock", group="X")
    bought = Buy(effective_at="2023-01-01", account="A", asset="X", quantity="1", amount="10")
    for ref, fact in (("law", law), ("asset", asset), ("b", bought)):
        portfolio.add(ref, fact)
    portfolio.settle()
    assert [lot.basis for lot in portfolio.books["X"].open_lots()] == [10 * ONE_DOLLAR]
    portfolio.add("b", Bust(effective_at="2023-01-02"))
    portfolio.settle()
    assert portfolio.books["X"].open_lots() == []
    assert portfolio.all_issues() == []


def test_a_period_that_has_not_ended_is_provisional() -> None:
    """On 20 January 10 are held; on 31 January none: nothing is denied then."""
    events = [buy("2023-01-01", 10, 100), sell("2024-01-01", 5, 20), buy("2024-01-10", 5, 20),
              sell("2024-01-25", 10, 100)]  # fmt: skip
    early = ca(*events, as_of="2024-01-20")
    assert figures(early) == ("50", "-30", "30", "0")
    assert early["ca_disposals"][0]["provisional"] is True
    assert "error" not in early
    late = ca(*events, as_of="2024-01-31")
    assert figures(late) == ("50", "-30", "0", "-30")
    assert late["ca_disposals"][0]["provisional"] is False


def test_years_use_losses_of_other_years_and_deduct_none() -> None:
    result = ca(buy("2022-01-01", 20, 200), sell("2023-06-01", 5, 10), sell("2024-06-01", 5, 75),
                sell("2025-06-01", 5, 100))  # fmt: skip
    assert [(y["year"], y["net"], y["deduction"], y["carry_st"]) for y in result["years"]] == [
        ("2023", "-40", "0", "40"), ("2024", "0", "0", "15"), ("2025", "35", "0", "0"),
    ]  # fmt: skip


def test_harvest_counts_what_a_sale_of_today_would_be_denied() -> None:
    """All 5 of A sold: P 5 (bought 10 days ago), B 5 in account B: the whole loss is blocked."""
    events = [buy("2023-01-01", 5, 50), buy("2024-01-01", 5, 50, account="B")]
    (first, second) = ca(*events, as_of="2024-01-11", marks={"X": "4"})["harvest"]
    assert (first["account"], first["loss"], first["blocked"]) == ("A", "30", "30")
    assert (second["account"], second["loss"], second["blocked"]) == ("B", "30", "30")
    (one,) = ca(events[0], as_of="2023-01-11", marks={"X": "4"})["harvest"]
    assert (one["loss"], one["blocked"], one["harvestable"]) == ("30", "0", "30")


def test_denied_losses_and_rows_agree() -> None:
    result = ca(buy("2023-01-01", 20, 200), sell("2024-01-01", 10, 50), buy("2024-01-10", 4, 20))
    (row,) = result["disposals"]
    assert (row["lot"], row["wash"], row["taxable"]) == ("average_cost", "20", "-30")
    assert result["years"][0]["net"] == "-30"
