"""Options that commands share, and the application they run on."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer
from pydantic import ValidationError

from domain.days import check_moment
from domain.errors import ThresherError
from infra.cli.output import Format
from infra.composition import App
from infra.settings import Settings
from services.queries import NoSuchTaxpayer, View

Output = Annotated[
    Format, typer.Option("--output", "-o", help="table, json or jsonl (default: by terminal).")
]
TaxpayerOption = Annotated[
    str | None, typer.Option("--taxpayer", help="Whose ledger (default: the only one).")
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="State at the end of this day, e.g. 2025-12-31.")
]
KnownAt = Annotated[
    str | None,
    typer.Option("--known-at", help="Only facts recorded by then: a date or an instant."),
]
at_end = ExitStack()  # what is to be done when the command has ended, however it did


class WrongSettings(ThresherError):
    """A setting in the environment that cannot be used."""


def application(*, begins: bool = False) -> App:
    """The application over the configured database; at the end it rests and is closed.

    `begins`: the command writes what needs nothing before it, so a missing file is made; for
    others it is an error of use. Raises WrongSettings.
    """
    app = App(settings(), is_process=True, is_there=not begins)
    at_end.callback(app.close)
    at_end.callback(app.rest)
    return app


def settings() -> Settings:
    """The settings of the environment. Raises WrongSettings."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "THRESHER_" + str(first["loc"][0]).upper()
        said = str(first["msg"]).removeprefix("Value error, ")
        raise WrongSettings(f"{name}: {said}") from None


def view(app: App, taxpayer: str | None, as_of: str | None, known_at: str | None) -> View:
    """The frame of a reading command; dates are checked here."""
    if as_of is not None:
        as_of = check_moment(as_of, "--as-of")[:10]
    chosen, known = app.taxpayer(taxpayer), app.taxpayers()
    if known and chosen not in known:
        raise NoSuchTaxpayer(f"no facts of taxpayer {chosen!r}; known: {', '.join(known)}")
    return app.queries.view(chosen, as_of, known_at)
