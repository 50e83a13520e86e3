"""Numbers below zero as arguments: an error that names the argument, never a strange option."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from infra.cli.numbers import TakesNumber
from infra.commands import app
from tests.end_to_end.command import thresher

NUMBERS = ("threshold", "qty", "target", "number", "crossing", "amount")


@pytest.fixture(autouse=True)
def _ledger(database: Path) -> None:
    """There is a ledger, with nothing in it but a rule."""
    assert thresher("rules", "add", "any", "100").code == 0
    assert database.exists()


@pytest.mark.parametrize("number", ["-5", "-5.50", "-0.5"])
@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("rules add loss", "threshold {}: use an amount above zero"),
        ("rules test loss", "threshold {}: use an amount above zero"),
        ("whatif sell S", "QTY: '{}' is not valid; give a quantity above zero"),
        ("whatif methods S", "QTY: '{}' is not valid; give a quantity above zero"),
        ("whatif reach", "TARGET: '{}' is not valid; give a loss above zero"),
        ("check buy S", "QTY: '{}' is not valid; give a quantity above zero"),
        ("whatif sell S 1 --price", "--price: '{}' is not valid; give an amount that is not"),
    ],
)
def test_an_amount_below_zero_is_named_with_what_to_give(
    command: str, says: str, number: str
) -> None:
    ran = thresher(*command.split(), number)
    assert (ran.code, ran.out) == (1, "")
    (line,) = ran.err.splitlines()
    assert says.format(number.replace(".50", ".5") if "threshold" in says else number) in line


def test_a_percentage_below_zero_too() -> None:
    assert "threshold -5: use an amount above zero" in thresher("rules", "add", "n", "-5%").err


@pytest.mark.parametrize("command", ["marks confirm", "marks reject"])
def test_a_number_of_a_list_below_zero_is_none_of_it(command: str) -> None:
    ran = thresher(*command.split(), "-1")
    assert ran.code == 1
    assert "no quote is held under -1; thresher marks held lists them" in ran.err


def test_a_crossing_below_zero_is_none() -> None:
    ran = thresher("alerts", "ack", "loss", "-1")
    assert ran.code == 2
    assert "no rule is called 'loss'" in ran.err  # and -1 is taken for the number that it is


def test_an_option_that_there_is_not_stays_one() -> None:
    for words in (["-x"], ["--prize", "3"], ["-5", "--prize", "3"]):
        ran = thresher("whatif", "sell", "S", *words)
        assert ran.code == 2
        assert words[-2 if len(words) > 1 else 0] in ran.err


def test_every_command_with_a_number_among_its_arguments_takes_them_so() -> None:
    missing = []
    groups = [typer.main.get_command(app)]
    for group in groups:
        for command in getattr(group, "commands", {}).values():
            groups.append(command)
            arguments = {each.name for each in command.params if each.param_type_name == "argument"}
            if arguments & set(NUMBERS) and not isinstance(command, TakesNumber):
                missing.append(command.name)
    assert missing == []
