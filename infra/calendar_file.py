"""The re-entry calendar as an iCalendar file (RFC 5545) that a calendar program subscribes to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import icalendar

from domain.exact import grouped, money
from services.calendar import BUY, LONG, SELL, Event

_SUMMARY = {
    BUY: "{group}: safe to buy again",
    SELL: "{group}: safe to sell older lots",
    LONG: "{group}: lot {lot} turns long-term",
}
_AMOUNT = {BUY: "Loss at risk until then", SELL: "", LONG: "Basis"}
_NOTE = "By the rules and positions taken, as far as was seen. Not tax advice."
_REFRESH = timedelta(days=1)


def ical(taxpayer: str, as_of: str, found: Iterable[Event], *, amounts: bool) -> bytes:
    """All-day events, stamped with the view's day, so that one view is one file to the byte.

    The id of an event stays while its day moves, so a late fact moves the entry and adds none.
    Without `amounts` no money is in it: a subscribed file passes through other people's hands.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Thresher//Re-entry calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for field in ("name", "x-wr-calname"):  # RFC 7986, and what programs read that are older
        calendar.add(field, "Thresher: wash-sale windows")
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    stamp = datetime.combine(date.fromisoformat(as_of), datetime.min.time(), UTC)
    for each in found:
        calendar.add_component(_event(taxpayer, each, stamp, amounts=amounts))
    content: bytes = calendar.to_ical()
    return content


def _event(taxpayer: str, each: Event, stamp: datetime, *, amounts: bool) -> icalendar.Event:
    day = date.fromisoformat(each.day)
    event = icalendar.Event()
    event.add("uid", str(uuid5(NAMESPACE_URL, _name(taxpayer, each))))
    event.add("dtstamp", stamp)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", _SUMMARY[each.kind].format(group=each.group, lot=each.lot))
    event.add("description", _description(each, amounts=amounts))
    event.add("categories", [each.kind])
    event.add("transp", "TRANSPARENT")
    return event


def _name(taxpayer: str, each: Event) -> str:
    """A lot may lie in several accounts; a group has one day of a kind."""
    parts = [taxpayer, each.kind, each.group, each.lot, each.account]
    if each.kind == LONG:
        parts.append(each.day)
    return "thresher:calendar/" + "/".join(part.replace("/", "//") for part in parts)


def _description(each: Event, *, amounts: bool) -> str:
    lines = [f"Because of {', '.join(each.because)}."]
    if amounts and each.amount and _AMOUNT[each.kind]:
        lines.append(f"{_AMOUNT[each.kind]}: {grouped(money(each.amount))}.")
    return "\n".join([*lines, _NOTE])
