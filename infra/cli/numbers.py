"""Commands with a number among their arguments."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

from domain.errors import InvalidText
from domain.exact import check, money

_BELOW_ZERO = re.compile(r"-[0-9.]")


class TakesNumber(TyperCommand):
    """Here `-5` is a number and no option: the argument's own check says what is wrong with it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As any command does; what is no option is an argument where a number is below zero."""
        ctx.ignore_unknown_options = any(_BELOW_ZERO.match(each) for each in args)
        return super().parse_args(ctx, args)


def above_zero(text: str, what: str, remedy: str) -> str:
    """The canonical spelling of a quantity or an amount above zero. Raises InvalidText."""
    plain = check(text, what)
    if money(plain) <= 0:
        raise InvalidText(what, text, remedy)
    return plain
