"""The last screen: the answer for a person, at most 100 columns wide, good in 80."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from domain.exact import money
from infra.cli.output import dollars
from infra.demo.chart import chart
from infra.demo.names import amount
from infra.demo.player import RULES
from infra.demo.story import Close
from projections.wash_windows import DO_NOT_BUY

WIDEST = 100
_DAY = len("2009-05-29")


def screen(answer: dict[str, Any], closes: Sequence[Close], width: int) -> Group:
    """Everything, in the order in which a person asks."""
    return Group(
        _headline(answer),
        *_section(
            "Harvestable loss by day, each lot as if sold alone", _curve(answer, closes, width)
        ),
        *_section("Harvestable now, by asset", _assets(answer, width), _alone(answer)),
        *_section("Blocked now", *_blocked(answer)),
        *_section("Do not buy, do not sell", *_windows(answer)),
        *_section(f"The year {answer['year']['year']}", _year(answer)),
        *_section("Alerts", *_alerts(answer)),
        *_section("What this stands on", *_ground(answer)),
    )


def commands(answer: dict[str, Any], program: str = "thresher") -> Iterator[Text]:
    """Where the ledger is and what to try on it; to be printed without wrapping."""
    yield Text("Go on", style="bold")
    yield Text(f"The ledger stays in {answer['database']}, where every reading command works. Try:")
    for each in answer["next"]:
        setting = each["command"].removesuffix(f" thresher {each['arguments']}")
        line = Text(f"\n  # {each['shows']}\n", style="dim")
        line.append(f"  {setting} \\\n", style="not dim")
        line.append(f"    {program} {each['arguments']}", style="bold cyan not dim")
        yield line


def console(at: Console) -> Console:
    """The same way out, no wider than the screen is made for."""
    return Console(file=at.file, highlight=False, width=min(WIDEST, at.width))


def _section(title: str, *content: RenderableType) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", style="bold")
    for each in content:
        yield Padding(each, (0, 0, 0, 2)) if isinstance(each, Text) else each


def _headline(answer: dict[str, Any]) -> Panel:
    found, total = answer["harvestable"], answer["harvestable"]["together"]
    year = answer["year"]
    rates = [f"{money(rate) * 100 // money('1')} %" for rate in found["rates"].values()]
    text = Text(justify="left")
    text.append(f"Harvestable on {answer['as_of']}, {total['lots']} lots sold together\n")
    text.append(f"${dollars(total['harvestable'])}\n", style="bold green")
    text.append("Saves ")
    text.append(f"${dollars(found['tax_saved'])}", style="bold")
    text.append(f" of {year['year']}'s tax (rates: short {rates[0]}, long {rates[1]}) and carries ")
    text.append(f"${dollars(found['carryover_created'])}", style="bold")
    text.append(" of loss into the next year.\nAnother ")
    text.append(f"${dollars(total['blocked'])}", style="bold yellow")
    text.append(" is blocked by wash-sale windows")
    gone = sum(money(one["loss"]) for one in answer["blocked_by"] if not one["kept"])
    if gone:
        text.append("; of it, sold now, ")
        text.append(f"${amount(gone)}", style="bold red")
        text.append(" would be gone for good")
    text.append(".")
    return Panel(text, title="thresher demo", title_align="left", border_style="green")


def _curve(answer: dict[str, Any], closes: Sequence[Close], width: int) -> Group:
    lines = [money(threshold) for _, threshold in RULES]
    fired = {alert["fired_at"][:_DAY]: alert["rule"] for alert in answer["alerts"]}
    legend = Text(" " * 10, style="dim")
    legend.append("▲", style="bold yellow").append(" notice fired (25,000)  ")
    legend.append("▲", style="bold red").append(" urgent fired (45,000)")
    return Group(chart(closes, lines, fired, width), legend)


def _table(columns: Iterable[str], left: int, width: int) -> Table:
    """A table whose first `left` columns are words and the others figures."""
    gap = 2 if width >= 92 else 1
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
    for at, name in enumerate(columns):
        table.add_column(name, justify="left" if at < left else "right", no_wrap=True)
    return table


def _assets(answer: dict[str, Any], width: int) -> Padding:
    names = ("Asset", "Marked by", "Mark", "Value", "Loss", "Short", "Long", "Blocked")
    table = _table(names, 2, width)
    for each in answer["assets"]:
        amounts = [dollars(each[name]) for name in ("value", "loss")]
        parts = [_or_dash(each[name]) for name in ("short", "long")]
        blocked = Text(_or_dash(each["blocked"]), style="yellow")
        table.add_row(
            each["name"], Text(each["mark_source"], style="dim"), dollars(each["mark"]),
            *amounts, *(Text(part, style="green") for part in parts), blocked,
        )  # fmt: skip
    total = answer["harvestable"]["together"]
    sums = [dollars(total[name]) for name in ("value", "loss", "short", "long", "blocked")]
    table.add_section()
    table.add_row("all", "", "", *sums, style="bold")
    return Padding(table, (0, 0, 0, 2))


def _alone(answer: dict[str, Any]) -> Text:
    alone = answer["harvestable"]["each_alone"]
    return Text(
        f"Short and long are harvestable. Each lot as if sold alone, which the alerts watch: "
        f"{dollars(alone['harvestable'])} harvestable, {dollars(alone['blocked'])} blocked; a "
        "purchase then counts against every lot that it could replace, together only once.",
        style="dim",
    )


def _blocked(answer: dict[str, Any]) -> Iterator[Text]:
    for each in answer["blocked_by"]:
        units = f"{each['qty']} {each['asset']}"
        fate = "gone for good" if not each["kept"] else "moved into their basis"
        line = Text(dollars(each["loss"]), style="yellow")
        line.append(
            f" of {each['of']} ({each['lot']}) by {units} bought {each['bought']} in "
            f"{each['account']} ({each['by']}): sold up to {each['until']} it is {fate}, "
            f"from {each['safe_from']} it counts",
            style="default",
        )
        yield line


def _windows(answer: dict[str, Any]) -> Iterator[Text]:
    for each in answer["windows"]:
        cause = f"{each['qty']} {each['asset']}"
        if each["kind"] == DO_NOT_BUY:
            line = Text(f"Do not buy {each['group']} until {each['until']}: ", style="default")
            line.append(f"{cause} sold {each['on']} at a loss of {dollars(each['loss'])} ")
        else:
            line = Text(f"Do not sell older {each['group']} at a loss until {each['until']}: ")
            line.append(f"{cause} bought {each['on']} in {each['account']} ")
        line.append(f"({each['by']})", style="dim")
        yield line
    after = answer["do_not_buy_after_harvest"]
    if after:
        groups = ", ".join(each["group"] for each in after)
        yield Text(
            f"After harvesting all: buy none of {groups} before {after[0]['safe_from']}, "
            "in any account, nor a token of theirs"
        )


def _year(answer: dict[str, Any]) -> Padding:
    year = answer["year"]
    before, so_far, after = year["realized"], year["so_far"], year["after_harvest"]
    table = _table(("", "Realized", "With carry-in", "All harvested"), 1, WIDEST)
    for name, key in (("Short-term", "st"), ("Long-term", "lt"), ("Net", "net")):
        cells = [dollars(each[key]) for each in (before, so_far, after)]
        table.add_row(name, *cells, style="bold" if key == "net" else "")
    limit = dollars(year["limit"]).removesuffix(".00")
    rows = (
        (f"Against other income (max. {limit})", "deduction"),
        ("Carried on, short-term", "carry_st"), ("Carried on, long-term", "carry_lt"),
    )  # fmt: skip
    for name, key in rows:
        table.add_row(name, "", _or_dash(so_far[key]), _or_dash(after[key]))
    return Padding(table, (0, 0, 0, 2))


def _alerts(answer: dict[str, Any]) -> Iterator[Text]:
    for alert in answer["alerts"]:
        style = "red" if alert["rule"] == "urgent" else "yellow"
        line = Text(f"{alert['fired_at'][:_DAY]} ")
        line.append(f"{alert['rule']} #{alert['crossing']}", style=f"bold {style}")
        line.append(f" at {dollars(alert['value'])} (rule: {dollars(alert['threshold'])}), ")
        again = alert["rearmed_at"][:_DAY]
        line.append(f"armed again {again}" if again else "still firing")
        yield line


def _ground(answer: dict[str, Any]) -> Iterator[Text]:
    seen, data = answer["coverage"], answer["data"]
    accounts = seen["accounts_seen"]
    yield Text(
        f"Accounts seen: {len(accounts)} ({', '.join(accounts)}); not seen: "
        f"{', '.join(seen['not_seen']) or 'none'}. Facts in the ledger: {seen['facts']}; wash "
        f"sales disallowed so far: {dollars(answer['year']['disallowed_so_far'])}."
    )
    yield Text.assemble(("Real: ", "bold"), f"{data['real']}.")
    yield Text.assemble(("Synthetic: ", "bold"), f"{data['synthetic']}; {data['derived']}.")
    yield Text.assemble(("Made up: ", "bold"), f"{data['made_up']}. {answer['note']}")


def _or_dash(text: str) -> str:
    return dollars(text) if money(text) else "-"
