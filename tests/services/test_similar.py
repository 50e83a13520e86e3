"""What to hold instead of an asset: never the identical, ranked, as it was known, in any law."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from services.check_buy import HypotheticalBuy, check_buy
from services.correlation import correlated
from services.harvest_all import harvest_all
from services.live.changes import Opportunities
from services.marks import Quote
from services.whatif import HypotheticalSale
from services.whatif import sell as what_if_sold
from tests.services.house import Clock, House, Json, buy, sell

S, NEAR, FAR, TOKEN, COIN = (
    {"id": f"asset/{name}", "type": "asset", "asset": name, "class": kind, "group": group}
    for name, kind, group in (
        ("S", "stock", "S"), ("NEAR", "stock", "NEAR"), ("FAR", "stock", "FAR"),
        ("TOKEN", "tokenized_security", "S"), ("COIN", "crypto", "COIN"),
    )
)  # fmt: skip
ASSETS: tuple[Json, ...] = (S, NEAR, FAR, TOKEN, COIN)
FIRST = datetime(2025, 1, 1, 21, tzinfo=UTC)


def similar(*names: str, of: str = "S", **more: Any) -> Json:
    return {"id": f"similar/{of}", "type": "similar", "asset": of, "candidates": names} | more


def closes(house: House, days: int = 59) -> None:
    """S wobbles and falls from 98 to 41; NEAR follows it closely, FAR shares only its wobble."""
    quotes = []
    for number in range(days):
        at = (FIRST + timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        wobble, other = number * 7 % 5 - 2, number * 3 % 7 - 3
        base = 100 - number
        for asset, price in (
            ("S", base + wobble), ("NEAR", base + wobble + number % 2),
            ("FAR", 100 + wobble + 3 * other),
        ):  # fmt: skip
            quotes.append(Quote(asset, str(price), at, kind="close"))
    house.app.market.take(quotes, confirmed=True)
    house.app.market.refresh()


@pytest.fixture
def filled(house: House) -> House:
    """Ten S bought at 100, which are worth 41 on 1 March 2025."""
    house.say(*ASSETS, similar("FAR", "NEAR"), buy("b", "10", "1000"))
    closes(house)
    return house


def listed(house: House, as_of: str | None = None, known_at: str | None = None) -> list[Json]:
    queries = house.app.queries
    return queries.similar_rows(queries.view("main", as_of, known_at))


def offered(house: House, **view: Any) -> list[str]:
    return [row["asset"] for row in listed(house, **view) if not row["why_not"]]


def opportunity(house: House, **view: Any) -> Json:
    row: Json
    (row,) = house.ask(**view)["opportunities"]
    return row


def test_candidates_are_ranked_by_correlation(filled: House) -> None:
    near, far = listed(filled)
    assert (near["asset"], far["asset"]) == ("NEAR", "FAR")
    assert float(near["correlation"]) > 0.9 > float(far["correlation"])
    assert near["days"] == far["days"] == 58
    assert near["instead_of"] == "S"
    assert opportunity(filled)["swap_into"] == "NEAR"
    assert opportunity(filled)["similar"] == [
        {name: value for name, value in row.items() if name != "instead_of"} for row in (near, far)
    ]


def test_the_mark_of_a_candidate_is_shown_with_its_age(filled: House) -> None:
    near, _ = listed(filled)
    assert (near["price"], near["mark_at"]) == ("41", "2025-02-28T21:00:00.000000Z")
    assert near["mark_stale"] is False
    filled.clock.advance(days=5)
    assert listed(filled)[0]["mark_stale"] is True


def test_without_marks_the_correlation_is_unknown_and_comes_last(house: House) -> None:
    house.say(*ASSETS, similar("COIN", "FAR", "NEAR", of="S"), buy("b", "10", "1000"))
    closes(house, days=10)
    far, near, coin = listed(house)
    assert [(each["correlation"], each["days"]) for each in (far, near)] == [("unknown", 9)] * 2
    closes(house)
    house.say(S | {"id": "asset/DARK", "asset": "DARK", "group": "DARK"})
    house.say(similar("DARK", "COIN", "FAR", "NEAR"))
    assert [row["asset"] for row in listed(house)] == ["NEAR", "FAR", "DARK", "COIN"]
    assert "class crypto" in coin["why_not"]
    assert (coin["correlation"], coin["price"]) == ("unknown", "")


def test_the_identical_group_is_never_offered_and_the_reason_is_said(filled: House) -> None:
    filled.say(similar("TOKEN", "FAR"))
    assert opportunity(filled)["swap_into"] == "FAR"
    assert [row["why_not"] for row in opportunity(filled)["similar"]] == [
        "", "TOKEN is of the identical group S, as S is",
    ]  # fmt: skip
    (issue,) = filled.ask()["issues"]
    assert (issue["fact"], issue["code"], issue["held_out"]) == (
        "csv:similar/S", "not_similar", False,
    )  # fmt: skip
    assert "TOKEN is of the identical group S" in issue["says"]


def test_what_becomes_identical_is_offered_no_more_but_was(filled: House) -> None:
    before = filled.clock.text
    filled.clock.advance(hours=1)
    filled.say({"id": "g", "type": "group", "group": "S", "assets": ["S", "NEAR"]})
    assert offered(filled) == ["FAR"]
    assert opportunity(filled)["swap_into"] == "FAR"
    assert [issue["code"] for issue in filled.ask()["issues"]] == ["not_similar"]
    assert offered(filled, known_at=before) == ["NEAR", "FAR"]
    assert opportunity(filled, known_at=before)["swap_into"] == "NEAR"
    assert filled.ask(known_at=before)["issues"] == []


def test_the_table_is_as_it_was_known(filled: House) -> None:
    times = [filled.clock.text]
    for names in (("FAR",), ()):
        filled.clock.advance(hours=1)
        filled.say(similar(*names))
        times.append(filled.clock.text)
    assert [offered(filled, known_at=at) for at in times] == [["NEAR", "FAR"], ["FAR"], []]
    assert offered(filled) == []
    assert opportunity(filled)["swap_into"] == ""
    assert filled.unequal() == []
    assert offered(filled.reopened(), known_at=times[1]) == ["FAR"]


def test_as_of_a_day_only_marks_of_whole_days_before_it_count(filled: House) -> None:
    assert [row["days"] for row in listed(filled, "2025-01-21")] == [19, 19]
    assert [row["correlation"] for row in listed(filled, "2025-01-21")] == ["unknown"] * 2
    assert [row["days"] for row in listed(filled, "2025-01-22")] == [20, 20]
    assert listed(filled, "2025-02-20")[0]["price"] == "48"
    later = filled.clock.text
    filled.clock.advance(hours=1)
    filled.app.market.take([Quote("S", "500", "2025-01-15T22:00:00.000000Z")], confirmed=True)
    now, then = listed(filled, "2025-02-20"), listed(filled, "2025-02-20", later)
    assert now[0]["correlation"] != then[0]["correlation"]


def test_a_split_does_not_count_as_a_fall(filled: House) -> None:
    rows = listed(filled)
    filled.say({"id": "split", "type": "split", "date": "2025-01-20", "asset": "NEAR", "num": "2",
                "den": "1"})  # fmt: skip
    assert [row["days"] for row in listed(filled)] == [57, 58]
    assert rows[0]["days"] == 58
    filled.say({"id": "other", "type": "split", "date": "2025-01-10", "asset": "S", "num": "3",
                "den": "1"})  # fmt: skip
    assert [row["days"] for row in listed(filled)] == [56, 57]


def test_one_that_would_wash_a_booked_loss_is_not_the_one_to_swap_into(filled: House) -> None:
    filled.say(
        buy("n", "5", "500", asset="NEAR"),
        sell("sold", "5", "300", asset="NEAR", date="2025-02-10"),
    )
    near, far = listed(filled)
    assert (near["safe_from"], far["safe_from"]) == ("2025-03-13", "")
    assert opportunity(filled)["swap_into"] == "FAR"
    filled.clock.advance(days=12)
    assert opportunity(filled)["swap_into"] == "NEAR"


def test_a_purchase_of_these_days_makes_none_wait(filled: House) -> None:
    """It opens a window in which not to sell; buying more of it washes nothing booked."""
    filled.say(buy("n", "5", "500", asset="NEAR", date="2025-02-20"))
    assert [row["kind"] for row in filled.ask()["windows"]] == ["do_not_sell"]
    assert listed(filled)[0]["safe_from"] == ""


def test_of_several_windows_the_last_to_close_counts(filled: House) -> None:
    filled.say(
        buy("n", "5", "500", asset="NEAR"),
        sell("s1", "2", "120", asset="NEAR", date="2025-02-20"),
        sell("s2", "2", "120", asset="NEAR", date="2025-02-10"),
    )
    assert listed(filled)[0]["safe_from"] == "2025-03-23"


def test_a_statement_with_a_date_holds_for_every_day_too(filled: House) -> None:
    filled.say(similar("FAR", date="2025-02-27"))
    assert offered(filled, as_of="2025-02-01") == offered(filled) == ["FAR"]


@pytest.mark.parametrize("day", ["2025-02-10", "2025-02-25", "2025-03-12", "2025-03-13"])
@pytest.mark.parametrize("bought_back", ["0", "2", "5"])
def test_it_waits_exactly_while_check_buy_says_that_it_would_wash(
    filled: House, day: str, bought_back: str
) -> None:
    facts = [
        buy("n", "5", "500", asset="NEAR"),
        sell("sold", "5", "300", asset="NEAR", date="2025-02-10"),
    ]
    if bought_back != "0":
        facts.append(buy("back", bought_back, "100", asset="NEAR", date="2025-02-11"))
    filled.say(*facts)
    queries = filled.app.queries
    said = check_buy(queries, queries.view("main", day), HypotheticalBuy("NEAR", "1"))
    near = next(row for row in listed(filled, day) if row["asset"] == "NEAR")
    assert near["safe_from"] == said["safe_from"]


def test_its_own_open_loss_that_buying_it_would_block_is_shown(filled: House) -> None:
    """Three NEAR bought at 100, marked 41; of a coin no purchase blocks anything today."""
    filled.say(buy("n", "3", "300", asset="NEAR"), similar("NEAR"))
    near = next(row for row in listed(filled) if row["asset"] == "NEAR")
    assert near["open_loss"] == "177"
    other = {"id": "asset/D", "type": "asset", "asset": "D", "class": "crypto"}
    filled.say(other, similar("D", of="COIN"), buy("d", "1", "100", asset="D"))
    filled.ticks(("D", "10"))
    assert [row["open_loss"] for row in listed(filled) if row["asset"] == "D"] == ["0"]


def test_of_a_book_of_several_groups_only_its_own_loss_is_open(filled: House) -> None:
    """A conversion makes one book of two groups; S and NEAR in it stay two groups."""
    legs = {"out": {"asset": "NEAR", "qty": "1"}, "in": {"asset": "S", "qty": "1"}}
    filled.say(
        buy("n", "3", "300", asset="NEAR"),
        {"id": "c", "type": "convert", "date": "2025-01-03", "account": "A"} | legs,
    )
    assert {row["asset"] for row in filled.ask()["opportunities"]} == {"S", "NEAR"}
    assert next(row for row in listed(filled) if row["asset"] == "NEAR")["open_loss"] == "118"


def test_a_what_if_knows_what_its_own_sales_block(filled: House) -> None:
    """Harvested alone, S goes into NEAR; harvested with NEAR, it must not."""
    filled.say(buy("n", "3", "300", asset="NEAR"))
    queries = filled.app.queries
    view = queries.view("main")
    alone = what_if_sold(queries, view, HypotheticalSale("S", "10"))
    assert alone["swap_into"] == "NEAR"
    assert [row["asset"] for row in alone["similar"]] == ["NEAR", "FAR"]
    together = {row["asset"]: row["swap_into"] for row in harvest_all(queries, view)["assets"]}
    assert together == {"S": "FAR", "NEAR": ""}


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_other_laws_have_similar_assets_too(house: House, law: str) -> None:
    policy = {"id": "law", "type": "policy", "jurisdiction": law}
    house.say(
        policy, *ASSETS, similar("FAR", "NEAR", "TOKEN"), buy("b", "10", "1000"),
        buy("n", "5", "500", asset="NEAR"),
        sell("sold", "5", "300", asset="NEAR", date="2025-02-10"),
    )  # fmt: skip
    closes(house)
    rows = {row["asset"]: row for row in listed(house)}
    assert float(rows["NEAR"]["correlation"]) > 0.9
    assert rows["NEAR"]["safe_from"] == "2025-03-13"
    assert "identical group" in rows["TOKEN"]["why_not"]
    assert opportunity(house)["swap_into"] == "FAR"


def watched(house: House) -> Opportunities:
    return Opportunities(house.app.projector, "main")


def test_the_live_stream_names_the_candidate_and_follows_the_table(filled: House) -> None:
    rows = watched(filled)
    filled.tick("S", "41")
    (change,) = rows.changes(filled.clock.text)
    assert (change.row["asset"], change.row["swap_into"]) == ("S", "NEAR")
    filled.say(similar("FAR"))
    (change,) = rows.changes(filled.clock.text)
    assert change.row["swap_into"] == "FAR"
    assert rows.changes(filled.clock.text) == []


def test_a_window_that_closes_overnight_changes_the_row(filled: House) -> None:
    filled.say(
        buy("n", "5", "500", asset="NEAR"),
        sell("sold", "5", "300", asset="NEAR", date="2025-02-10"),
    )
    rows = watched(filled)
    assert rows.changes("2025-03-12T23:00:00.000000Z")[0].row["swap_into"] == "FAR"
    assert rows.changes("2025-03-13T01:00:00.000000Z")[0].row["swap_into"] == "NEAR"


def test_a_tick_computes_no_correlation(filled: House) -> None:
    """Both are computed once; then as many ticks of the day as you like."""
    rows = watched(filled)
    with mock.patch("services.similar.correlated", wraps=correlated) as computed:
        for price in ("43", "42", "41"):
            filled.tick("S", price)
            assert len(rows.changes(filled.clock.text)) == 1
            assert computed.call_count == 2
        filled.clock.advance(days=1)
        rows.changes(filled.clock.text)
        assert computed.call_count == 4


def test_days_are_of_utc_live_and_asked(tmp_path: Path) -> None:
    """In Tokyo 22 January has begun, and 21 January is not over in UTC: it does not count yet."""
    house = House(tmp_path / "days.db", Clock(datetime(2025, 1, 21, 22, tzinfo=UTC)))
    zone = {"id": "zone", "type": "policy", "tz": "Asia/Tokyo"}
    house.say(zone, *ASSETS, similar("FAR", "NEAR"), buy("b", "10", "1000"))
    closes(house, days=21)
    rows = watched(house)
    seen = []
    for _ in range(2):
        (change,) = rows.changes(house.clock.text)
        assert change.row["swap_into"] == opportunity(house)["swap_into"]
        seen.append((listed(house)[0]["days"], change.row["swap_into"]))
        house.clock.advance(hours=3)
    assert seen == [(19, "FAR"), (20, "NEAR")]
    house.close()


def test_live_and_as_of_today_say_the_same_in_every_zone(tmp_path: Path) -> None:
    house = House(tmp_path / "zone.db", Clock(datetime(2025, 2, 20, 20, tzinfo=UTC)))
    zone = {"id": "zone", "type": "policy", "tz": "Asia/Tokyo"}
    house.say(zone, *ASSETS, similar("FAR", "NEAR"), buy("b", "10", "1000"))
    closes(house, days=50)
    live = opportunity(house)
    (change,) = watched(house).changes(house.clock.text)
    assert change.row["swap_into"] == live["swap_into"]
    assert live["similar"] == opportunity(house, as_of="2025-02-21")["similar"]
    house.close()
