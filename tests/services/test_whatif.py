"""Hypothetical sales: saved by brackets, harvested above a loss, chosen at least cost, compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import ThresherError
from domain.exact import money
from services.harvest_all import harvest_all
from services.queries import View
from services.whatif import HypotheticalSale, Unanswerable, sell
from services.whatif_choice import FEW
from services.whatif_lots import Costs
from services.whatif_methods import compare
from services.whatif_reach import reach
from tests.services.house import COIN, STOCK, House, Json, buy
from tests.services.house import sell as sold

AS_OF = "2025-06-30"
PROFILE: Json = {
    "id": "me", "type": "profile", "filing_status": "single",
    "tax": {"year": "2025", "ordinary_taxable": "90000", "magi_without_gains": "100000"},
}  # fmt: skip
TWO: Json = {"id": "T", "type": "asset", "asset": "T", "class": "stock"}
FREE = Costs()


def costs(fee: str = "0", spread: str = "0", haircut: str = "0") -> Costs:
    """A fee, and percents."""
    return Costs(money(fee), money(spread) // 100, money(haircut) // 100)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path / "t.db")
    found.say(STOCK, COIN, TWO)
    yield found
    found.close()


def view(house: House, as_of: str = AS_OF) -> View:
    return house.app.queries.view("main", as_of)


def reached(house: House, target: str, cost: Costs = FREE) -> Json:
    return reach(house.app.queries, view(house), money(target), cost)


def chosen(answer: Json) -> list[tuple[str, str]]:
    return [(each["lot"].removeprefix("csv:"), each["qty"]) for each in answer["sales"]]


def asked(house: House, quantity: str = "1", **more: Any) -> Json:
    sale = HypotheticalSale("S", quantity, **({"account": "A"} | more))
    return sell(house.app.queries, view(house), sale)


def test_a_sale_saves_by_brackets_where_the_profile_has_figures(house: House) -> None:
    """14714 on 90000; 3000 of the loss deducted at 22 %; 2000 carried; 5000 deferred."""
    house.say(PROFILE, buy("b", amount="6000"))
    house.ticks(("S", "1000"))
    answer = asked(house)
    assert {name: answer[name] for name in ("tax_before", "tax_after", "tax_saved_now")} == {
        "tax_before": "14714", "tax_after": "14054", "tax_saved_now": "660",
    }  # fmt: skip
    assert answer["carryover_created"] == "2000"
    assert answer["deferral"]["basis_lower_by"] == "5000"
    assert "not forgiven" in answer["deferral"]["says"]
    assert (answer["basis_of_tax"], answer["table"]) == ("brackets 2025", "2025")
    assert "table_note" not in answer


def test_without_figures_the_rates_are_named_and_whether_they_are_the_owners(
    house: House,
) -> None:
    house.say(buy("b", amount="6000"))
    house.ticks(("S", "1000"))
    answer = asked(house)
    assert (answer["basis_of_tax"], answer["table"]) == ("default rates", None)
    assert answer["tax_saved_now"] == "1050"
    assert [row["basis_of_tax"] for row in house.ask()["opportunities"]] == ["default rates"]
    house.say({"type": "policy", "id": "p", "rates": {"st": "0.24", "lt": "0.15"}})
    assert asked(house)["basis_of_tax"] == "owner's rates"
    assert [row["basis_of_tax"] for row in house.ask()["opportunities"]] == ["owner's rates"]
    assert house.unequal() == []


def test_a_year_by_rates_says_whose_when_they_are_told_later(house: House) -> None:
    house.say(buy("b", amount="6000"), sold("s", amount="5000"))
    assert [row["basis_of_tax"] for row in house.ask()["years"]] == ["default rates"]
    house.say({"type": "policy", "id": "p", "rates": {"st": "0.24", "lt": "0.15"}})
    assert [row["basis_of_tax"] for row in house.ask()["years"]] == ["owner's rates"]
    assert house.unequal() == []


def test_a_later_year_uses_the_latest_table_and_says_so(house: House) -> None:
    figures = [{"year": "2029", "ordinary_taxable": "90000"}]
    house.say(PROFILE | {"tax": figures}, buy("b", amount="6000"))
    sale = HypotheticalSale("S", "1", "1000", "A")
    answer = sell(house.app.queries, view(house, "2029-03-01"), sale)
    assert (answer["basis_of_tax"], answer["table"]) == ("brackets 2026", "2026")
    assert answer["table_note"] == "no table of 2029 is held: that of 2026 was used"


def test_a_gain_defers_nothing(house: House) -> None:
    house.say(PROFILE, buy("b", amount="100"))
    answer = asked(house, price="600")
    assert answer["deferral"]["basis_lower_by"] == "0"
    assert answer["tax_saved_now"] == "-110"


def test_facts_dated_ahead_do_not_count_as_saved(house: House) -> None:
    """The clock stands in March: the sale of May is not an effect of the hypothetical one."""
    house.say(PROFILE, buy("b", "3", "6000"), sold("s", amount="1000", date="2025-05-05"))
    queries = house.app.queries
    live = queries.view("main")
    answer = sell(queries, live, HypotheticalSale("S", "1", "1900", "A"))
    assert answer["year_before"]["st"] == "0"
    assert answer["tax_saved_now"] == "22"


def test_opportunities_and_alerts_save_by_brackets(house: House) -> None:
    house.watch("tax", "600", metric="tax_saved")
    house.say(PROFILE, buy("b", amount="6000"))
    (fired,) = house.tick("S", "1000")
    assert fired.tax_saved == "660"  # type: ignore[union-attr]
    (found,) = house.ask()["opportunities"]
    assert (found["tax_saved"], found["basis_of_tax"]) == ("660", "brackets 2025")
    assert house.ask(as_of=house.clock.day)["opportunities"] == [found]
    assert house.unequal() == []


def test_pieces_of_one_lot_share_the_limit(house: House) -> None:
    """Two losses of one day went into one lot: two pieces of one date, 3000 deducted but once."""
    house.say(
        PROFILE,
        buy("o", amount="6000", account="B"),
        buy("p", amount="7000", account="B"),
        sold("x", "2", "2000", account="B", date="2025-02-03"),
        buy("b", "2", "2000", date="2025-02-04"),
    )
    house.ticks(("S", "500"))
    pieces = house.app.queries.portfolio(view(house)).books["S"].open_lots()
    assert len(pieces) == 2
    (found,) = house.ask(as_of=AS_OF)["opportunities"]
    assert (found["qty"], found["harvestable"], found["tax_saved"]) == ("2", "12000", "660")


def test_years_show_tax_and_worksheets(house: House) -> None:
    house.say(PROFILE, buy("b", amount="6000"), sold("s", amount="1000"))
    (live,) = house.ask()["years"]
    assert (live["tax"], live["basis_of_tax"]) == ("14054", "brackets 2025")
    assert live["worksheets"]["schedule_d"]["21"] == "3000"
    assert live["worksheets"]["carryover"]["8"] == "2000"
    assert live["worksheets"]["tax"]["47"] == "14054"
    assert live["worksheets"]["niit"] == {"17": "0"}
    assert house.ask(as_of="2025-12-31")["years"] == [live]
    assert house.unequal() == []


def test_harvest_above_takes_lots_of_at_least_that_loss(house: House) -> None:
    house.say(
        buy("small", amount="150"), buy("even", amount="200"), buy("large", amount="900"),
        buy("gain", amount="10"),
    )  # fmt: skip
    house.ticks(("S", "100"))
    answer = harvest_all(house.app.queries, view(house), money("100"))
    assert chosen(answer) == [("even", "1"), ("large", "1")]
    assert answer["harvestable"] == "900"
    everything = harvest_all(house.app.queries, view(house))
    assert chosen(everything) == [("even", "1"), ("large", "1"), ("small", "1")]
    nothing = harvest_all(house.app.queries, view(house), money("5000"))
    assert (nothing["sales"], nothing["harvestable"], nothing["tax_saved_now"]) == ([], "0", "0")


def test_costs_lower_the_proceeds(house: House) -> None:
    """1000 less 10 % haircut, less fee 5 and spread 1 % of 1000: loss 1000 - 885 more."""
    house.say(buy("b", amount="2000"))
    house.ticks(("S", "1000"))
    answer = harvest_all(house.app.queries, view(house), 0, costs("5", "1", "10"))
    assert (answer["value"], answer["cost"], answer["loss"]) == ("885", "115", "1115")
    assert answer["sales"][0]["alone"] == "1115"


def test_harvest_sells_earlier_sublots_of_a_lot_along(house: House) -> None:
    """One unit absorbed 900 and is first by its date; the other is harvested only after it."""
    house.say(
        buy("o", amount="1000", account="B"),
        sold("x", amount="100", account="B", date="2025-02-03"),
        buy("b", "2", "300", date="2025-02-04"),
    )
    house.ticks(("S", "100"))
    answer = harvest_all(house.app.queries, view(house), money("900"))
    assert chosen(answer) == [("b", "1")]
    assert answer["harvestable"] == "950"
    assert chosen(harvest_all(house.app.queries, view(house), money("50"))) == [("b", "2")]


def test_reach_takes_the_cheapest_whole_lots(house: House) -> None:
    """Losses 500, 300, 250 at a fee of 10: one sale of the first, not two of the others."""
    house.say(
        buy("five", amount="600"), buy("three", amount="400"), buy("two", amount="350")
    )  # fmt: skip
    house.ticks(("S", "100"))
    answer = reached(house, "500", costs("10"))
    assert chosen(answer) == [("five", "1")]
    assert (answer["is_reached"], answer["cost"], answer["harvestable"]) == (True, "10", "510")
    assert answer["chosen"].startswith("exact")
    assert answer["do_not_buy"][0]["safe_from"] == "2025-07-31"


def test_reach_sells_the_last_lot_in_part(house: House) -> None:
    """50 of loss a unit: 3 whole shares for 120, 2.4 coins."""
    house.say(buy("shares", "10", "1500"))
    house.ticks(("S", "100"))
    answer = reached(house, "120")
    assert (chosen(answer), answer["harvestable"]) == ([("shares", "3")], "150")
    house.say(buy("coins", "10", "1500", asset="C"))
    house.ticks(("C", "100"))
    assert chosen(reached(house, "120")) == [("coins", "2.4")]


def test_reach_counts_costs_as_part_of_the_loss(house: House) -> None:
    """With 10 % haircut each coin loses 60: two are enough for 120."""
    house.say(buy("coins", "10", "1500", asset="C"))
    house.ticks(("C", "100"))
    answer = reached(house, "120", costs(haircut="10"))
    assert (chosen(answer), answer["harvestable"], answer["cost"]) == (
        [("coins", "2")],
        "120",
        "20",
    )


def test_reach_prefers_much_loss_for_little_value(house: House) -> None:
    """At 1 % spread the lot that loses 900 of 1000 costs 1, the one that loses 900 of 9900 90."""
    house.say(buy("dear", amount="1000"), buy("heavy", "90", "9900"))
    house.ticks(("S", "100"))
    answer = reached(house, "800", costs(spread="1"))
    assert chosen(answer) == [("dear", "1")]


def test_reach_says_what_is_out_of_reach(house: House) -> None:
    house.say(buy("b", amount="300"))
    house.ticks(("S", "100"))
    answer = reached(house, "500")
    assert (chosen(answer), answer["is_reached"]) == ([("b", "1")], False)
    assert answer["short_of_target"] == "300"


def test_reach_with_no_loss_at_all(house: House) -> None:
    house.say(buy("b", amount="50"))
    house.ticks(("S", "100"))
    answer = reached(house, "10")
    assert (answer["sales"], answer["is_reached"], answer["short_of_target"]) == ([], False, "10")


def test_reach_knows_what_is_blocked(house: House) -> None:
    """Bought in another account ten days before: one of two units is blocked, so sell both."""
    house.say(
        buy("old", "2", "600"), buy("new", amount="90", date="2025-06-20", account="B")
    )  # fmt: skip
    house.ticks(("S", "100"))
    answer = reached(house, "150")
    assert (chosen(answer), answer["blocked"], answer["harvestable"]) == (
        [("old", "2")], "200", "200",
    )  # fmt: skip
    (blocker,) = answer["blocked_by"]
    assert (blocker["purchase"], blocker["qty"]) == ("csv:new", "1")
    assert reached(house, "250")["is_reached"] is False


def test_reach_sees_that_one_purchase_blocks_but_once(house: House) -> None:
    """Each of two lots alone is blocked whole; sold together one of them is not."""
    house.say(
        buy("old", amount="300", date="2025-01-01"), buy("high", amount="500"),
        buy("new", amount="90", date="2025-06-20", account="B"),
    )  # fmt: skip
    house.ticks(("S", "100"))
    answer = reached(house, "350")
    assert chosen(answer) == [("old", "1"), ("high", "1")]
    assert (answer["is_reached"], answer["blocked"], answer["harvestable"]) == (True, "200", "400")


def test_reach_with_many_lots_is_greedy_and_proved(house: House) -> None:
    """Losses of 10, 20, ... : the largest for least value first, the needless given back."""
    lots = [buy(f"b{n:02}", amount=str(100 + 10 * n)) for n in range(1, FEW + 4)]
    house.say(*lots)
    house.ticks(("S", "100"))
    answer = reached(house, "250", costs("1"))
    assert answer["chosen"].startswith("greedy")
    assert [lot for lot, _ in chosen(answer)] == ["b13", "b12"]
    assert money(answer["harvestable"]) == money("252")


def test_greedy_gives_back_what_others_make_needless(house: House) -> None:
    """Per dollar of value the small lot is best, but the next one alone is enough.

    Both ways cost 10 (one percent of 1000 sold): then fewer sales are made.
    """
    tiny = [buy(f"z{n:02}", amount="101") for n in range(FEW)]
    house.say(buy("small", amount="300"), buy("big", "10", "2900"), *tiny)
    house.ticks(("S", "100"))
    answer = reached(house, "1800", costs(spread="1"))
    assert (chosen(answer), answer["cost"]) == ([("big", "10")], "10")
    answer = reached(house, "1915", costs(spread="1"))
    assert (chosen(answer), answer["cost"]) == ([("small", "1"), ("big", "9")], "10")


def test_methods_side_by_side(house: House) -> None:
    """Long-term 400 and 700, short-term 900, sold at 800: taxes differ by lot."""
    house.say(
        PROFILE,
        buy("first", amount="400", date="2023-01-02"),
        buy("second", amount="700", date="2023-02-02"),
        buy("third", amount="900"),
    )
    answer = compare(house.app.queries, view(house), HypotheticalSale("S", "1", "800", "A"))
    lines = {
        each["method"]: (each["lots"][0]["lot"], each["gain"], each["tax_now"], each["deferral"])
        for each in answer["methods"]
    }
    assert lines == {
        "FIFO": ("csv:first", "400", "60", "0"),
        "LIFO": ("csv:third", "-100", "-22", "100"),
        "HIFO": ("csv:third", "-100", "-22", "100"),
        "HIFO_LT": ("csv:third", "-100", "-22", "100"),
        "MIN_TAX": ("csv:third", "-100", "-22", "100"),
    }
    assert answer["in_force"]["lots"] == [{"lot": "csv:first", "qty": "1"}]
    assert [each["long"] for each in answer["methods"]][:2] == ["400", "0"]
    assert answer["basis_of_tax"] == "brackets 2025"


def test_methods_change_only_the_hypothetical_sale(house: House) -> None:
    house.say(
        buy("first", amount="400"), buy("second", amount="700"), buy("third", amount="500"),
        sold("s", amount="300", date="2025-06-30"),
    )  # fmt: skip
    answer = compare(house.app.queries, view(house), HypotheticalSale("S", "1", "600", "A"))
    found = {each["method"]: each["lots"][0]["lot"] for each in answer["methods"]}
    assert found["FIFO"] == found["HIFO"] == "csv:second"  # the sale of that day took the first
    assert found["LIFO"] == "csv:third"
    assert [row["lot"] for row in house.ask(as_of=AS_OF)["gains"]] == ["csv:first"]


def test_methods_of_more_than_is_held_are_refused(house: House) -> None:
    house.say(buy("b"))
    with pytest.raises(Unanswerable, match="held"):
        compare(house.app.queries, view(house), HypotheticalSale("S", "9", "1", "A"))
    assert issubclass(Unanswerable, ThresherError)
