"""Dwell and digests as they are typed: a rule that waits is listed, a notice of a digest waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.command import Ran, thresher

FACTS = (
    '{"id":"a","type":"asset","asset":"ETH","class":"crypto"}\n'
    '{"id":"b1","type":"buy","date":"2025-01-02","account":"A","asset":"ETH","qty":"10",'
    '"amount":"1000"}\n'
)


@pytest.fixture(autouse=True)
def folder(database: Path, tmp_path: Path) -> Path:
    """Ten coins that cost 1,000."""
    (tmp_path / "facts.jsonl").write_text(FACTS)
    thresher("import", tmp_path / "facts.jsonl")
    return tmp_path


def mark(folder: Path, price: str, time: str) -> Ran:
    file = folder / "marks.csv"
    file.write_text(f"asset,price,time\nETH,{price},2025-03-01T{time}Z\n")
    return thresher("marks", file)


def test_a_rule_with_dwell_is_listed_as_pending_and_then_fires(folder: Path) -> None:
    assert thresher("rules", "add", "loss", "200", "--dwell", "300").code == 0
    assert "0 alerts fired" in mark(folder, "75", "10:00:00").err
    (row,) = thresher("alerts").rows
    assert (row["state"], row["key"], row["value"]) == ("pending", "main/loss/1", "250")
    assert row["fires_at"] == "2025-03-01T10:05:00.000000Z"
    table = thresher("alerts", "-o", "table").out
    assert "pending" in table
    assert "2025-03-01T10:05:00" in table
    (rule,) = thresher("rules", "list").rows
    assert (rule["dwell_seconds"], rule["pending_since"][:19]) == (300, "2025-03-01T10:00:00")
    assert thresher("alerts", "ack", "loss").code == 2  # nothing has fired
    assert "1 alerts fired" in mark(folder, "74", "10:05:00").err
    (row,) = thresher("alerts").rows
    assert (row["state"], row["value"]) == ("firing", "260")
    assert "fires at" not in thresher("alerts", "-o", "table").out
    assert "since 2025-03-01T10:00:00" in thresher("explain", "loss/1", "-o", "json").out
    assert thresher("rules", "list").rows[0]["pending_since"] == ""
    assert thresher("verify", "--rebuild").code == 0


def test_a_notice_of_a_rule_with_a_digest_waits_and_an_urgent_alert_does_not(folder: Path) -> None:
    thresher("rules", "add", "calm", "200", "--digest", "daily 08:00")
    thresher("rules", "add", "loud", "200", "--digest", "hourly", "--severity", "urgent")
    ran = mark(folder, "75", "10:00:00")
    assert "2 alerts fired" in ran.err
    assert "loud #1" in ran.err
    assert "calm #1" not in ran.err
    assert [row["digest"] for row in thresher("rules", "list").rows] == ["daily 08:00", "hourly"]


@pytest.mark.parametrize(
    ("option", "says"), [(("--dwell", "-5"), "dwell"), (("--digest", "weekly"), "daily 08:00")]
)
def test_what_cannot_be_is_refused_in_one_line(option: tuple[str, str], says: str) -> None:
    ran = thresher("rules", "add", "loss", "200", *option)
    assert ran.code == 1
    assert says in ran.err
    assert ran.is_clean


@pytest.mark.parametrize(
    "scope",
    ["asset:BTC", "account:B", "group:BTC", "class:nft", "position:B/ETH", "lot:csv:b9"],
)
def test_a_rule_for_what_nobody_holds_is_added_and_says_so(scope: str) -> None:
    ran = thresher("rules", "add", "loss", "200", "--scope", scope)
    assert ran.code == 0
    added, note = ran.err.splitlines()
    assert added == f"rule loss: harvestable_loss of {scope} at 200"
    assert note.startswith(f"nothing held or sold is in scope {scope} so far")
    assert [row["scope"] for row in thresher("rules", "list").rows] == [scope]


@pytest.mark.parametrize(
    "scope",
    ["all", "asset:ETH", "account:A", "group:ETH", "class:crypto", "position:A/ETH", "lot:csv:b1"],
)
def test_of_a_rule_for_what_is_held_nothing_more_is_said(scope: str) -> None:
    ran = thresher("rules", "add", "loss", "200", "--scope", scope)
    assert ran.err == f"rule loss: harvestable_loss of {scope} at 200\n"


def test_what_was_sold_still_is_in_scope(folder: Path) -> None:
    (folder / "sale.jsonl").write_text(
        '{"id":"s1","type":"sell","date":"2025-02-03","account":"A","asset":"ETH","qty":"10",'
        '"amount":"500"}\n'
    )
    thresher("import", folder / "sale.jsonl")
    ran = thresher("rules", "add", "back", "0", "--metric", "safe_to_buy", "--scope", "asset:ETH")
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("channel", "secret", "says"),
    [
        ("kafka", "", "channel kafka: what sends needs THRESHER_KAFKA=HOST:PORT"),
        ("webhook:https://example.com/", "", "THRESHER_WEBHOOK_SECRET is not set (whsec_"),
        ("webhook:https://example.com/", "whsec_!!!", "THRESHER_WEBHOOK_SECRET cannot sign"),
    ],
)
def test_a_channel_that_cannot_send_from_here_is_said(
    channel: str, secret: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHER_WEBHOOK_SECRET", secret)
    ran = thresher("rules", "add", "loss", "200", "--channel", channel)
    assert ran.code == 0
    _, note = ran.err.splitlines()
    assert says in note
    monkeypatch.setenv("THRESHER_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("THRESHER_WEBHOOK_SECRET", "whsec_" + "A" * 32)
    assert len(thresher("rules", "add", "loss", "200", "--channel", channel).err.splitlines()) == 1


def test_a_rule_that_would_alert_into_another_topic_of_ours_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THRESHER_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("THRESHER_KAFKA_PREFIX", "desk")
    for name in ("facts", "marks", "dead-letters"):
        ran = thresher("rules", "add", "loss", "200", "--channel", f"kafka:desk.{name}")
        assert ran.code != 0
        assert ran.err.splitlines() == [
            f"thresher: channel 'kafka:desk.{name}': that topic is Thresher's own; "
            "use kafka, or another topic"
        ]
    for topic in ("desk.alerts", "thresher.facts"):
        assert thresher("rules", "add", "loss", "200", "--channel", f"kafka:{topic}").code == 0


def test_rules_are_listed_with_all_that_holds_them_back() -> None:
    thresher("rules", "add", "slow", "200", "--cooldown", "3600", "--dwell", "90",
             "--quiet", "22:00-07:00", "--rearm", "0.5")  # fmt: skip
    (row,) = thresher("rules", "list").rows
    assert (row["cooldown_seconds"], row["dwell_seconds"], row["quiet"]) == (
        3600, 90, "22:00-07:00",
    )  # fmt: skip
    assert (row["rearm_ratio"], row["rearms_below"]) == ("0.5", "100")
    heading, _, line = thresher("rules", "list", "-o", "table").out.splitlines()[2:5]
    assert heading.split("  ")[0].strip() == "rule"
    waits = "dwell 90s, cooldown 1h, quiet 22:00-07:00"
    for title, value in (("re-arms below", "100.00"), ("waits", waits)):
        assert title in heading
        assert value in line
    assert "amount" not in heading  # no rule has one


@pytest.mark.parametrize("option", [("--quiet", "22:00-07:00"), ("--digest", "daily 08:00")])
def test_the_zone_of_hours_is_said_and_how_to_set_another(
    option: tuple[str, str], folder: Path
) -> None:
    said = "of the clock of UTC (tz in a policy fact sets another)"
    assert said in thresher("rules", "add", "late", "200", *option).err
    title = " ".join(thresher("rules", "list", "-o", "table").out.split())
    assert "by the clock of UTC (tz in a policy fact sets another)" in title
    (folder / "policy.jsonl").write_text('{"id":"p","type":"policy","tz":"Europe/Paris"}\n')
    assert thresher("import", folder / "policy.jsonl").code == 0
    ran = thresher("rules", "add", "late", "200", *option)
    assert ran.err.splitlines()[1] == "quiet hours and digests are of the clock of Europe/Paris"
    assert [row["tz"] for row in thresher("rules", "list").rows] == ["Europe/Paris"]
    assert "by the clock of Europe/Paris" in thresher("rules", "list", "-o", "table").out


def test_what_cannot_be_acknowledged_says_why(folder: Path) -> None:
    thresher("rules", "add", "loss", "200")
    assert "no rule is called 'nope'" in thresher("alerts", "ack", "nope").err
    assert "rule 'loss' has not fired" in thresher("alerts", "ack", "loss").err
    mark(folder, "75", "10:00:00")
    assert "rule 'loss' has no crossing number 2" in thresher("alerts", "ack", "loss", "2").err
    thresher("rules", "remove", "loss")
    assert thresher("alerts", "ack", "loss").code == 0  # what fired stays


@pytest.mark.parametrize("span", ["100000d", "0h", "ever"])
def test_how_long_a_snooze_can_be_is_said(span: str) -> None:
    thresher("rules", "add", "loss", "200")
    ran = thresher("alerts", "snooze", "loss", "--for", span)
    said = " ".join(ran.err.replace("│", " ").split())
    assert (ran.code, "write 30m, 2h or 3d, from 1 to 9999 of them" in said) == (2, True)
    assert thresher("alerts", "snooze", "loss", "--for", "9999d").code == 0


def test_a_rule_of_time_re_arms_at_no_amount() -> None:
    thresher("rules", "add", "december", "10", "--metric", "year_end", "--amount", "2500")
    (row,) = thresher("rules", "list").rows
    assert (row["rearms_below"], row["amount"]) == ("", "2500")
    assert "2500" in thresher("rules", "list", "-o", "table").out
