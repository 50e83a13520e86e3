"""Errors of the domain, each carrying its facts.

ThresherError
 +- InvalidText          a text that is no exact decimal, date or instant
 +- UnknownFact          a stored name or version that this release does not know
 +- UnsupportedLaw       a jurisdiction, policy or fact kind that no rule set here covers
"""

from __future__ import annotations


class ThresherError(Exception):
    """Root of every error that the product raises on purpose."""


class InvalidText(ThresherError, ValueError):
    """A text at the edge that cannot become an exact value; `remedy` says how to write it."""

    def __init__(self, what: str, text: str, remedy: str) -> None:
        super().__init__(f"{what}: {text!r} is not valid; {remedy}")
        self.what = what
        self.text = text
        self.remedy = remedy


class UnknownFact(ThresherError):
    """A stored event whose name or version is newer than, or foreign to, this release."""


class UnsupportedLaw(ThresherError):
    """A jurisdiction, a policy value or a lot method that no rule set here implements."""
