"""Explains an alert: the value that crossed the threshold, with the marks and lots behind it."""

from __future__ import annotations

from typing import Any

from projections.alerts import crossing_key
from services.date_words import in_words
from services.explain.answer import Answer
from services.queries import Queries, View


def find_alert(queries: Queries, view: View, id: str) -> tuple[str, dict[str, Any]] | None:
    """The alert of a key (`rule/crossing`, or with the taxpayer before it), with its key."""
    for alert in queries.alerts(view):
        key = crossing_key(view.taxpayer, alert["rule"], alert["crossing"])
        if id in (key, key.partition("/")[2]):
            return key, alert
    return None


def explain_alert(answer: Answer, key: str, alert: dict[str, Any]) -> None:
    """The evidence that the alert was fired with: it is a fact and is never computed anew."""
    answer.is_a("alert")
    answer.say(
        f"{alert['metric']} of {alert['scope']} was {alert['value']} at {alert['fired_at']}, "
        f"threshold {alert['threshold']}",
        "wash_sale",
        "wash_classes",
        *(("netting", "carryover") if alert["metric"] == "tax_saved" else ()),
    )
    since = alert["evidence"].get("pending_since")
    if since:
        answer.say(f"at the threshold or above at every mark since {since}")
    for said in in_words(alert["evidence"]["dates"]):
        answer.say(said)
    for lot in alert["evidence"]["lots"]:
        answer.say(
            f"{lot['lot']} in {lot['account']}: {lot['quantity']} {lot['asset']}, harvestable "
            f"{lot['harvestable']}"
        )
    answer.stands_on(f"thresher:alert/{key.partition('/')[2]}")
