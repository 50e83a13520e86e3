"""Relief: what the sweep does for the engine. It audits it, and in an overload says whom to ask.

While ticks come faster than rules can be asked and guarded anew, a rule that a price reaches is
*parked*: it has no guard, and the sweep looks at it, as at all rules, at each evaluation. Only
whom it names is asked, exactly. Once there is time, parked rules are guarded again, some at each
evaluation.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping

from services.live.engine import Engine
from services.live.guards import Metric
from services.live.sweep import Sweep
from services.live.triggers import Key
from services.live.watched import Crossing
from services.statement import Mark

GUARDED_AT_ONCE = 200  # some tens of milliseconds
_log = logging.getLogger(__name__)


class Relief:
    """`missed` counts crossings that the audit found and the engine had not: each is a bug."""

    def __init__(self, engine: Engine) -> None:
        self.parked: set[Key] = set()
        self.missed = 0
        self.sweep = Sweep(engine)
        self._engine = engine

    def crossings(self, marks: Mapping[str, Mark], *, is_behind: bool) -> Iterator[Crossing]:
        """Asks whom the sweep names, and of those that are due whom it does not cover.

        `is_behind`: those asked are parked as well; else some that were parked are guarded again.
        """
        named = self.sweep.may_cross(marks)
        due = self._engine.take_due()
        asked = named | {key for key in due if not self.sweep.covers(key)}
        self._park(due - asked)
        if is_behind:
            yield from self._engine.ask(asked, marks, self._spared)
            return
        asked |= set(sorted(self.parked - asked)[:GUARDED_AT_ONCE])
        self.parked -= asked
        yield from self._engine.ask(asked, marks)

    def audit(self, marks: Mapping[str, Mark]) -> Iterator[Crossing]:
        """Crossings that no guard, no fact and no timer made due: none, unless there is a bug.

        Who is due is no miss. Whom the sweep names only by its margin is asked, and found across
        or not.
        """
        if not self._engine.now:
            return
        for crossing in self._engine.ask(self.sweep.may_cross(marks) - self._engine.due, marks):
            self.missed += 1
            taxpayer, rule = crossing.key
            _log.error(
                "self-audit: a rule crossed unseen", extra={"taxpayer": taxpayer, "rule": rule}
            )
            yield crossing

    def _park(self, keys: Collection[Key]) -> None:
        for key in keys:
            self._engine.triggers.forget(key)
        self.parked.update(keys)
        self.parked &= self._engine.watched.keys()

    def _spared(self, key: Key, _metric: Metric) -> bool:
        """Parks a rule that was asked, if the sweep can look at it as it is now."""
        if not self.sweep.covers(key):
            self.parked.discard(key)
            return False
        self.parked.add(key)
        return True
