"""The embedded edition on the same messages: what the streaming edition has to end with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import batched
from pathlib import Path

from infra.simulate import SOURCE, Said
from infra.sources.json_lines import fact_of
from infra.sources.mark_feed import quote_of
from services.ledger import Offer
from services.marks import Quote
from tests.chaos.feed import RECORDED_AT, Feed
from tests.services.house import Clock, House
