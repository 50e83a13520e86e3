"""Delivery: the outbox, its retries, and the three channels, against a real receiver."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from infra.channels.webhook import webhook_channel
from services import projector as projecting
from services.delivery import DeliveryFailed, Message, outbox
from services.marks import Quote
from services.sending import RETRY_AFTER_SECONDS
from tests.services.house import COIN, Clock, House, buy
from tests.services.receiver import Receiver, receiving

SECRET = "whsec_" + base64.b64encode(b"a test secret of thirty-two bytes").decode()
MESSAGE = Message("main/loss/1", '{"type":"alert.fired"}', "2025-03-01T12:00:00.000000Z")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[House]:
    """Ten coins at a cost of 1,000; webhooks are signed and may go to this machine."""
    house = House(tmp_path / "t.db", Clock(), webhook_secret=SECRET, webhook_allow_local=True)
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    yield house
    house.close()


def waiting(house: House) -> list[dict[str, Any]]:
    with house.app.database.reading() as connection:
        return outbox(connection, "main")


def test_the_outbox_row_is_in_the_transaction_of_the_alert_row(
    wired: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired.watch("loss", "200", channels=("terminal",))

    def crash(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(projecting, "enqueue", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            wired.tick("C", "50")
    assert (wired.sql("SELECT * FROM alerts_v3"), wired.sql("SELECT * FROM outbox")) == ([], [])
    again = wired.reopened()
    assert [alert["key"] for alert in again.ask()["alerts"]] == ["main/loss/1"]
    assert [row["key"] for row in waiting(again)] == ["main/loss/1"]
    assert again.app.market.deliver() == {"sent": 1, "retry": 0, "given up": 0}
    again.close()


def test_an_alert_has_one_row_a_channel(wired: House, tmp_path: Path) -> None:
    lines = tmp_path / "alerts.jsonl"
    wired.watch("loss", "200", channels=("terminal", f"file:{lines}", "terminal"))
    wired.tick("C", "50")
    assert sorted(row["channel"] for row in waiting(wired)) == [f"file:{lines}", "terminal"]
    assert all(row["sent_at"] for row in waiting(wired))


def test_a_file_gets_one_json_line_an_alert(wired: House, tmp_path: Path) -> None:
    lines = tmp_path / "alerts.jsonl"
    wired.watch("loss", "200", channels=(f"file:{lines}",))
    for price in ("50", "100", "60"):
        wired.tick("C", price)
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [each["data"]["key"] for each in found] == ["main/loss/1", "main/loss/2"]
    assert found[0]["type"] == "alert.fired"
    assert found[0]["data"]["value"] == "500"
    assert found[0]["data"]["lots"][0]["lot"] == "csv:b1"
    assert found[0]["data"]["marks"][0]["price"] == "50"


def test_the_tenth_crossing_of_a_batch_is_sent_after_the_ninth(
    wired: House, tmp_path: Path
) -> None:
    lines = tmp_path / "alerts.jsonl"
    wired.watch("loss", "200", channels=(f"file:{lines}",))
    quotes = []
    for price in ["50", "100"] * 11:
        wired.clock.advance(seconds=1)
        quotes.append(Quote("C", price, wired.clock.text))
    wired.app.market.take(quotes, confirmed=True)
    found = [json.loads(line)["data"]["crossing"] for line in lines.read_text().splitlines()]
    assert found == list(range(1, 12))


def test_a_file_that_cannot_be_written_is_tried_again(wired: House, tmp_path: Path) -> None:
    lines = tmp_path / "missing" / "alerts.jsonl"
    wired.watch("loss", "200", channels=(f"file:{lines}",))
    wired.tick("C", "50")
    assert "No such file" in waiting(wired)[0]["last_error"]
    lines.parent.mkdir()
    wired.clock.advance(seconds=4.9)
    assert wired.app.market.deliver()["sent"] == 0
    wired.clock.advance(seconds=0.1)
    assert wired.app.market.deliver()["sent"] == 1
    assert len(lines.read_text().splitlines()) == 1


def test_a_terminal_gets_one_line_on_standard_error(
    wired: House, capsys: pytest.CaptureFixture[str]
) -> None:
    wired.watch("loss", "200", channels=("terminal",))
    wired.tick("C", "50")
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("ALERT 2025-03-01T12:01:00  loss #1: harvestable_loss of all 500.00 ")
    assert "reached 200" in line
    assert "saves about 175.00 tax" in line


def test_a_webhook_is_signed_by_standard_webhooks(receiver: Receiver, tmp_path: Path) -> None:
    """Verified by that specification's own library, which also checks the time."""
    secret = Webhook(SECRET)
    house = House(tmp_path / "t.db", webhook_secret=SECRET, webhook_allow_local=True)
    house.clock.advance(seconds=time.time() - house.clock.now.timestamp())
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "200", channels=(f"webhook:{receiver.url}",))
    house.tick("C", "50")
    house.close()
    ((path, headers, body),) = receiver.got
    assert path == "/hook?from=thresher"
    assert headers["webhook-id"] == "main/loss/1"
    assert headers["content-type"] == "application/json"
    assert secret.verify(body, headers)["data"]["value"] == "500"
    with pytest.raises(Exception, match="No matching signature"):
        secret.verify(body + b" ", headers)


def test_a_failure_is_retried_with_the_same_id_after_the_wait(
    wired: House, receiver: Receiver
) -> None:
    receiver.statuses[:] = [500]
    wired.watch("loss", "200", channels=(f"webhook:{receiver.url}",))
    wired.tick("C", "50")
    (row,) = waiting(wired)
    assert (row["attempts"], row["sent_at"]) == (1, "")
    assert row["last_error"].endswith("answered 500")
    wired.clock.advance(seconds=4)
    wired.app.market.deliver()
    assert len(receiver.got) == 1
    wired = wired.reopened()
    wired.clock.advance(seconds=1)
    assert wired.app.market.deliver() == {"sent": 1, "retry": 0, "given up": 0}
    assert [headers["webhook-id"] for _, headers, _ in receiver.got] == ["main/loss/1"] * 2
    assert len({headers["webhook-timestamp"] for _, headers, _ in receiver.got}) == 2
    assert wired.app.market.deliver() == {"sent": 0, "retry": 0, "given up": 0}
    wired.close()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 503])
def test_any_answer_but_success_is_a_failure_and_no_redirect_is_followed(
    wired: House, receiver: Receiver, status: int
) -> None:
    receiver.statuses[:] = [status]
    wired.watch("loss", "200", channels=(f"webhook:{receiver.url}",))
    wired.tick("C", "50")
    assert len(receiver.got) == 1
    assert waiting(wired)[0]["last_error"].endswith(f"answered {status}")


def test_after_ten_attempts_it_is_given_up_and_says_so(wired: House, receiver: Receiver) -> None:
    receiver.statuses[:] = [500] * 20
    wired.watch("loss", "200", channels=(f"webhook:{receiver.url}",))
    wired.tick("C", "50")
    for seconds in RETRY_AFTER_SECONDS:
        wired.clock.advance(seconds=seconds - 1)
        assert wired.app.market.deliver() == {"sent": 0, "retry": 0, "given up": 0}
        wired.clock.advance(seconds=1)
        outcome = wired.app.market.deliver()
    assert outcome == {"sent": 0, "retry": 0, "given up": 1}
    (row,) = waiting(wired)
    assert (row["sent_at"], row["attempts"]) == ("given up", 10)
    wired.clock.advance(days=30)
    assert wired.app.market.deliver() == {"sent": 0, "retry": 0, "given up": 0}
    assert len(receiver.got) == 10


def test_a_receiver_that_is_away_does_not_hold_up_the_other_channels(
    wired: House, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    lines = tmp_path / "alerts.jsonl"
    wired.watch("loss", "200", channels=(f"webhook:http://127.0.0.1:{port}/", f"file:{lines}"))
    wired.tick("C", "50")
    states = {row["channel"].partition(":")[0]: row["sent_at"] != "" for row in waiting(wired)}
    assert states == {"webhook": False, "file": True}
    assert len(lines.read_text().splitlines()) == 1


LOCAL = ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0",
         "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]", "224.0.0.1", "2130706433"]  # fmt: skip


@pytest.mark.parametrize("host", LOCAL)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_inside_is_refused_without_the_setting(scheme: str, host: str) -> None:
    send = webhook_channel(SECRET, False, Clock())
    with pytest.raises(DeliveryFailed, match="not public"):
        send(f"{scheme}://{host}:9/hook", MESSAGE)


@pytest.mark.parametrize(
    "url", ["http://192.0.43.10/", "ftp://192.0.43.10/", "file:///etc/passwd", "x"]
)
def test_only_https_addresses_are_used(url: str) -> None:
    send = webhook_channel(SECRET, False, Clock())
    with pytest.raises(DeliveryFailed, match="https address"):
        send(url, MESSAGE)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_a"])
def test_without_a_secret_that_can_sign_nothing_is_sent(receiver: Receiver, secret: str) -> None:
    send = webhook_channel(secret, True, Clock())
    with pytest.raises(DeliveryFailed, match="THRESHER_WEBHOOK_SECRET"):
        send(receiver.url, MESSAGE)
    assert receiver.got == []


@pytest.mark.parametrize(
    "authority", ["127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:x", "127.0.0.1:-1", "[::", "", "%",
                  "x" * 70 + ".invalid", "a..invalid"]
)  # fmt: skip
def test_an_address_that_cannot_be_is_a_failure_not_a_crash(authority: str) -> None:
    send = webhook_channel(SECRET, True, Clock())
    with pytest.raises(DeliveryFailed):
        send(f"http://{authority}/", MESSAGE)


def test_replay_and_verify_send_nothing(wired: House, receiver: Receiver) -> None:
    wired.watch("loss", "200", channels=(f"webhook:{receiver.url}",))
    for price in ("50", "100", "50"):
        wired.tick("C", price)
    assert len(receiver.got) == 2
    before = waiting(wired)
    assert wired.unequal() == []
    wired.sql("UPDATE checkpoints SET version = 0 WHERE projection = 'read_models'")
    again = wired.reopened()
    assert len(again.ask()["alerts"]) == 2
    again.app.market.deliver()
    assert waiting(again) == before
    assert len(receiver.got) == 2
    again.close()


def test_a_crossing_that_was_recorded_but_not_projected_is_sent_once(
    wired: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the fact and its projection: the next start sends it, under its key."""
    wired.watch("loss", "200", channels=(f"webhook:{receiver.url}",))
    with monkeypatch.context() as patch:
        patch.setattr(
            wired.app.projector, "catch_up", lambda *_: (_ for _ in ()).throw(OSError("killed"))
        )
        with pytest.raises(OSError, match="killed"):
            wired.tick("C", "50")
    assert receiver.got == []
    again = wired.reopened()
    again.app.market.deliver()
    again.tick("C", "50")
    assert [headers["webhook-id"] for _, headers, _ in receiver.got] == ["main/loss/1"]
    again.close()
