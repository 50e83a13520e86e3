"""Explain: from a figure to its facts, rules, arithmetic, positions and what was not seen."""

from services.explain.answer import NothingToExplain
from services.explain.asking import KINDS, explain

__all__ = ["KINDS", "NothingToExplain", "explain"]
