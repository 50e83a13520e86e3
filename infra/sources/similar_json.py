"""Similar assets as a JSON object: the owner's table of replacement candidates."""

from __future__ import annotations

from typing import Any, Literal

from domain import facts as f
from domain.decisions import SimilarDeclared
from infra.sources.trade_models import EventModel
from infra.sources.wire import Name, Text


class SimilarModel(EventModel):
    """Without candidates it takes back what was said of the asset."""

    type: Literal["similar"]
    asset: Name
    candidates: tuple[Name, ...] = ()
    reason: Text = ""

    def common(self) -> dict[str, Any]:
        """It holds for every day, so it needs no date."""
        dated = self.date or self.ts or self.effective_at
        return {"effective_at": self.moment() if dated else "0001-01-01", "seq": self.seq}

    def fact(self) -> f.Fact:
        return SimilarDeclared(
            **self.common(), asset=self.asset, candidates=self.candidates, reason=self.reason
        )
