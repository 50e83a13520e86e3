"""The rule sets on offer, by jurisdiction: adding one is its file and one row here."""

from __future__ import annotations

from domain.errors import UnsupportedLaw
from domain.rules.ca import CA
from domain.rules.rule_set import RuleSet
from domain.rules.uk import UK
from domain.rules.us import US

RULE_SETS = {
    US.jurisdiction: US,
    UK.jurisdiction: UK,
    CA.jurisdiction: CA,
}


def rule_set(jurisdiction: str) -> RuleSet:
    """The law of a jurisdiction; raises UnsupportedLaw for one that is not offered."""
    try:
        return RULE_SETS[jurisdiction]
    except KeyError:
        raise UnsupportedLaw(f"no rule set for jurisdiction {jurisdiction!r} yet") from None
