"""State of the domain to bytes and back: pickle, admitting the domain's own classes and no others.

Whatever lies in a database file is read with suspicion: nothing outside this list is ever called.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import pickle
import sys
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

import domain
import services
from domain.errors import ThresherError
from domain.rules.registry import rule_set
from domain.rules.rule_set import RuleSet


class Damaged(ThresherError):
    """Bytes that hold no state."""


_OURS = "domain."
_OTHERS = {
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("functools", "partial"),  # a sort key at a price
    ("msgspec._utils", "rebuild"),  # a struct whose fields go by keyword
    ("services.written", "Written"),
    ("zoneinfo", "ZoneInfo"),
}


class _Packer(pickle.Pickler):
    """A rule set (it holds functions) and a zone go by their names."""

    dispatch_table = copyreg.dispatch_table | {
        RuleSet: lambda rules: (rule_set, (rules.jurisdiction,)),
        ZoneInfo: lambda zone: (ZoneInfo, (zone.key,)),
    }


class _Unpacker(pickle.Unpickler):
    def find_class(self, module_name: str, name: str) -> Any:
        """A class or function that a module of the domain defines, or one of the list."""
        if (module_name, name) in _OTHERS:
            return super().find_class(module_name, name)
        if module_name.startswith(_OURS) and "." not in name:
            found = super().find_class(module_name, name)
            if getattr(found, "__module__", "") == module_name:
                return found
        raise pickle.UnpicklingError(f"{module_name}.{name} is no part of a snapshot")


def packed(state: object) -> bytes:
    """The bytes of a state; what is shared in it stays shared."""
    out = io.BytesIO()
    _Packer(out, pickle.HIGHEST_PROTOCOL).dump(state)
    return out.getvalue()


def unpacked(data: bytes, digest: str) -> Any:
    """The state again; raises Damaged for bytes that are not those that were written."""
    if digest_of(data) != digest:
        raise Damaged("the bytes of a snapshot have another digest")
    try:
        return _Unpacker(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, AttributeError, ImportError, TypeError, ValueError) as error:
        raise Damaged(f"the bytes of a snapshot are no state: {error}") from error


def digest_of(data: bytes) -> str:
    """What tells whether bytes are still those that were written."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


@cache
def fingerprint() -> str:
    """Of the code that made a state: its sources, Python and msgspec. Other code folds anew."""
    total = hashlib.blake2b(f"{sys.version_info} {msgspec.__version__}".encode(), digest_size=16)
    for package in (domain, services):
        for folder in package.__path__:
            for source in sorted(Path(folder).rglob("*.py")):
                total.update(source.name.encode())
                total.update(source.read_bytes())
    return total.hexdigest()
