"""The re-entry calendar: per group over all accounts, as lines, and as a file that parses back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import icalendar
import pytest

from infra.calendar_file import ical
from services.calendar import BUY, LONG, SELL, Event, events, reentry
from services.whatif import Unanswerable
from tests.services.house import COIN, STOCK, House, Json, buy, sell

TOKEN: Json = {"id": "T", "type": "asset", "asset": "T", "class": "tokenized_security",
               "group": "S", "ratio": "1"}  # fmt: skip


def lines(house: House, as_of: str = "2025-02-20") -> list[Json]:
    queries = house.app.queries
    return reentry(queries, queries.view("main", as_of))


def noted(house: House, as_of: str = "2025-02-20", within: int = 0) -> list[Event]:
    queries = house.app.queries
    return events(queries, queries.view("main", as_of), within)


def test_a_group_is_one_line_over_all_accounts_and_assets(house: House) -> None:
    """Two booked losses and a purchase of the token elsewhere: the latest day of each counts."""
    house.say(
        STOCK, TOKEN, buy("b", "10", "1000"), sell("s1", "2", "160"),
        sell("s2", "3", "150", date="2025-02-10", account="A"),
        buy("old", "5", "900", date="2024-06-03", account="B", asset="T"),
        buy("t", "1", "80", date="2025-02-05", account="B", asset="T"),
        buy("u", "9", "500", date="2025-02-18", account="B", asset="T"),
    )  # fmt: skip
    (line,) = lines(house)
    assert line["group"] == "S"
    assert line["safe_to_buy_from"] == ""  # u served every loss
    assert line["safe_to_sell_older_from"] == "2025-03-21"
    assert line["accounts"] == ["B"]
    assert [each["event"] for each in line["causes"]] == ["csv:u"]


def test_buying_is_safe_from_the_day_after_the_last_window_of_a_loss(house: House) -> None:
    house.say(STOCK, buy("b", "10", "1000"), sell("s1", "2", "160"),
              sell("s2", "3", "150", date="2025-02-10"))  # fmt: skip
    (line,) = lines(house)
    assert (line["safe_to_buy_from"], line["loss_at_risk"]) == ("2025-03-13", "190")
    assert line["safe_to_sell_older_from"] == ""
    assert [each["event"] for each in line["causes"]] == ["csv:s1", "csv:s2"]
    (later,) = lines(house, "2025-03-06")
    assert (later["safe_to_buy_from"], later["loss_at_risk"]) == ("2025-03-13", "150")
    assert lines(house, "2025-03-13") == []


def test_a_purchase_without_older_lots_stands_against_nothing(house: House) -> None:
    house.say(STOCK, buy("b", date="2025-02-10"))
    assert lines(house) == []
    house.say(buy("old", date="2024-02-10", account="B"))
    (line,) = lines(house)
    assert line["safe_to_sell_older_from"] == "2025-03-13"


def test_a_coin_is_not_on_it_under_todays_law(house: House) -> None:
    more = {"asset": "C"}
    house.say(COIN, buy("b", "2", "200", **more), sell("s", **more))
    assert lines(house) == []
    queries = house.app.queries
    (line,) = reentry(queries, queries.view("main", "2025-02-20"), hidden=True)
    assert (line["hidden"], line["safe_to_buy_from"]) == (True, "2025-03-06")
    house.say({"id": "pol", "type": "policy", "wash_sale": "conservative"})
    (line,) = reentry(queries, queries.view("main", "2025-02-20"), hidden=True)
    assert (line["hidden"], line["safe_to_buy_from"]) == (False, "2025-03-06")


def test_days_to_note_carry_the_facts_that_make_them(house: House) -> None:
    other = {"id": "Q", "type": "asset", "asset": "Q", "class": "stock"}
    house.say(STOCK, other, buy("b", "10", "1000"), sell("s", "2", "160"),
              buy("old", asset="Q", date="2024-02-10"),
              buy("new", asset="Q", date="2025-02-19", account="R"))  # fmt: skip
    assert noted(house) == [
        Event(BUY, "S", "2025-03-06", ("csv:s",), "40"),
        Event(SELL, "Q", "2025-03-22", ("csv:new",), ""),
    ]


def test_lots_that_turn_long_term_are_noted_when_asked_for(house: House) -> None:
    house.say(STOCK, buy("b", date="2024-03-01"), buy("far", date="2024-06-01"))
    assert noted(house) == []
    (event,) = noted(house, within=30)
    assert (event.kind, event.day, event.lot) == (LONG, "2025-03-02", "csv:b")


def parsed(content: bytes) -> list[icalendar.Event]:
    calendar = icalendar.Calendar.from_ical(content)
    assert calendar["version"] == "2.0"
    assert calendar["prodid"]
    assert not calendar.errors
    return [each for each in calendar.walk("VEVENT") if isinstance(each, icalendar.Event)]


BUYING = Event(BUY, "S, Inc; A\\B", "2025-03-06", ("csv:s1", "csv:s2"), "1234.5")


def test_the_file_parses_back_as_all_day_events() -> None:
    found = [BUYING, Event(LONG, "S", "2025-03-02", ("csv:b",), "10", "csv:b", "A")]
    first, second = parsed(ical("main", "2025-02-20", found, amounts=False))
    assert first["summary"] == "S, Inc; A\\B: safe to buy again"
    assert (first.start, first.end) == (date(2025, 3, 6), date(2025, 3, 7))
    assert datetime(2025, 2, 20, tzinfo=UTC) == first.DTSTAMP
    assert "csv:s1, csv:s2" in str(first["description"])
    assert first["transp"] == "TRANSPARENT"
    assert "turns long-term" in str(second["summary"])
    assert {each["uid"] for each in (first, second)} != {first["uid"]}


def test_lines_end_and_fold_as_the_standard_wants() -> None:
    """RFC 5545, 3.1: CRLF, and no line over 75 octets."""
    wide = Event(BUY, "é" * 200, "2025-03-06", ("csv:s",), "")
    content = ical("main", "2025-02-20", [wide], amounts=False)
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert parsed(content)[0]["summary"] == "é" * 200 + ": safe to buy again"


def test_money_is_in_the_file_only_when_asked_for() -> None:
    assert b"1,234" not in ical("main", "2025-02-20", [BUYING], amounts=False)
    (event,) = parsed(ical("main", "2025-02-20", [BUYING], amounts=True))
    assert "Loss at risk until then: 1,234.50" in str(event["description"])


def test_one_view_is_one_file_and_a_moved_day_is_the_same_event() -> None:
    once = ical("main", "2025-02-20", [BUYING], amounts=False)
    assert once == ical("main", "2025-02-20", [BUYING], amounts=False)
    moved = Event(BUYING.kind, BUYING.group, "2025-03-09", ("csv:s3",), "5")
    (before,), (after,) = (
        parsed(once), parsed(ical("main", "2025-02-21", [moved], amounts=False)),
    )  # fmt: skip
    assert before["uid"] == after["uid"]
    (other,) = parsed(ical("another", "2025-02-20", [BUYING], amounts=False))
    assert other["uid"] != before["uid"]
    assert "main" not in str(before["uid"])


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_refused(house: House, day: str) -> None:
    house.say(STOCK, buy("b"))
    with pytest.raises(Unanswerable, match="no windows can be counted"):
        lines(house, day)
