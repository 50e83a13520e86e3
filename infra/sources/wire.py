"""Value types of every edge: exact decimal text, moments, ids. Numbers as floats are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from domain.days import check_moment
from domain.errors import InvalidText
from domain.exact import MONEY_PLACES, check

_NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"
# A second of a day that every month has.
CALENDAR_SHAPE = (
    r"[1-8][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}"
)


def _decimal(text: str) -> str:
    return check(text, "decimal")


def _amount(text: str) -> str:
    canonical = check(text, "amount", MONEY_PLACES)
    return _not_negative(canonical)


def _not_negative(text: str) -> str:
    if text.startswith("-"):
        raise InvalidText("amount", text, "write zero or a positive amount")
    return text


def _positive(text: str) -> str:
    canonical = check(text, "quantity")
    if canonical.startswith("-") or canonical == "0":
        raise InvalidText("quantity", text, "write a quantity above zero")
    return canonical


def _units(text: str) -> str:
    return _not_negative(check(text, "quantity"))


def moment_text(text: str) -> str:
    """A moment as facts hold it; raises InvalidText."""
    return _within_calendar(check_moment(text, "moment"), text)


def _date(text: str) -> str:
    if len(text) != len("2025-01-31"):
        raise InvalidText("date", text, "write 2025-01-31")
    return _within_calendar(check_moment(text, "date"), text)


def _within_calendar(checked: str, text: str) -> str:
    """Zones and windows must not leave the calendar; 0001-01-01 means since always."""
    if not "0002" <= checked < "9998" and checked != "0001-01-01":
        raise InvalidText("date", text, "write a year from 0002 to 9997")
    return checked


@dataclass(frozen=True)
class _Common:
    """In strict mode, text of this pattern is taken as it is, without a call of Python.

    The pattern holds canonical text alone, though not all of it: the checks before it would return
    the same.
    """

    pattern: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        checked = handler(source)
        common = core_schema.str_schema(pattern=self.pattern)
        either = core_schema.union_schema([common, checked], mode="left_to_right")
        return core_schema.lax_or_strict_schema(checked, either)


_Strict = StringConstraints(strict=True)
Decimal18 = Annotated[str, _Strict, AfterValidator(_decimal)]
Amount = Annotated[
    str, _Strict, AfterValidator(_amount), _Common(r"^(0|[1-9][0-9]{0,19})(\.[0-9]{0,35}[1-9])?$")
]
Quantity = Annotated[
    str, _Strict, AfterValidator(_positive),
    _Common(r"^([1-9][0-9]{0,19}|(0|[1-9][0-9]{0,19})\.[0-9]{0,17}[1-9])$"),
]  # fmt: skip
Units = Annotated[str, _Strict, AfterValidator(_units)]
Moment = Annotated[
    str, _Strict, AfterValidator(moment_text),
    _Common(rf"^{CALENDAR_SHAPE}(\.[0-9]{{5}}[1-9])?Z$"),
]  # fmt: skip
Day = Annotated[str, _Strict, AfterValidator(_date)]
Name = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=200, pattern=_NO_CONTROL)
]
# Shapes alone, checked by pydantic's own engine: for rows by the hundred thousand, whose reader
# puts the text into canonical form itself.
NUMBER_SHAPE = r"^[0-9]{1,20}(\.[0-9]{1,18})?$"
AMOUNT_SHAPE = r"^[0-9]{1,20}(\.[0-9]{1,36})?$"
NumberShape = Annotated[str, StringConstraints(strict=True, pattern=NUMBER_SHAPE)]
AmountShape = Annotated[str, StringConstraints(strict=True, pattern=AMOUNT_SHAPE)]
Text = Annotated[str, StringConstraints(strict=True, max_length=500, pattern=_NO_CONTROL)]


class Wire(BaseModel):
    """Base of edge models: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)


_QUOTED = 200  # characters of each end that are shown of what is longer


def _cut(text: str) -> str:
    """A field or reason without its middle if it quotes a value of a megabyte."""
    return text if len(text) <= 2 * _QUOTED + 1 else f"{text[:_QUOTED]}…{text[-_QUOTED:]}"


class Refusal(Exception):
    """A row that cannot be used: which field, why, and how to mend it."""

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        field, reason = _cut(field), _cut(reason)
        super().__init__(f"{field}: {reason}; {remedy}" if field else f"{reason}; {remedy}")
        self.field = field
        self.reason = reason
        self.remedy = remedy


_REMEDIES = {
    "missing": "add the field",
    "literal_error": "use one of the values named",
    "extra_forbidden": "remove the field or correct its name",
    "string_type": "write it as text in quotes, so that no digit is lost",
    "string_too_short": "write a value",
    "string_too_long": "shorten the value",
    "string_pattern_mismatch": "remove control characters",
}
_OBJECT = "no JSON object", "write one JSON object a line"
_REASONS = {  # and remedies, where the checker's own words name parts of this program
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "union_tag_not_found": ("type is missing", "add the field: docs/FORMATS.md lists the types"),
}
_SHAPE_REMEDIES = {
    NUMBER_SHAPE: "write a plain decimal such as 12.5 (at most 20 digits, 18 decimals)",
    AMOUNT_SHAPE: "write a plain amount such as 12.5 (at most 20 digits, 36 decimals)",
}


def _shown(part: object) -> str:
    """A name from outside: no store takes a NUL, and no terminal should obey one."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in str(part))


def refusal(error: ValidationError) -> Refusal:
    """The first problem of a validation as a refusal that names field and remedy."""
    first = error.errors(include_url=False)[0]
    field = ".".join(_shown(part) for part in first["loc"] if part not in ("function-after",))
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InvalidText):
        return Refusal(field, f"{cause.text!r} is not valid", cause.remedy)
    shape = _SHAPE_REMEDIES.get(first.get("ctx", {}).get("pattern", ""))
    if shape is not None:
        return Refusal(field, f"{first['input']!r} is not valid", shape)
    if first["type"] == "union_tag_invalid":
        known = first["ctx"]["expected_tags"]
        return Refusal(
            field or "type", f"{first['ctx']['tag']!r} is not known", f"use one of {known}"
        )
    if first["type"] in _REASONS:
        return Refusal(field, *_REASONS[first["type"]])
    remedy = _REMEDIES.get(first["type"], "correct the value")
    return Refusal(field, str(first["msg"]), remedy)
