"""The collector never walks over what stays. Each case is a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import gc
from services import collector
from services.collector import paused, settle, settle_again
collector.MANY = 1_000
"""
CASES = {
    "what is there at the start is set aside": """
kept = [[] for _ in range(5_000)]
settle()
assert not [each for each in gc.get_objects() if each is kept]
""",
    "what a long fold makes is set aside": """
settle()
with paused():
    assert not gc.isenabled()
    kept = [[] for _ in range(5_000)]
assert gc.isenabled()
assert not [each for each in gc.get_objects() if each is kept[0]]
""",
    "without a start nothing is": """
with paused():
    kept = [[] for _ in range(5_000)]
assert [each for each in gc.get_objects() if each is kept[0]]
""",
    "what grows old and is much is set aside": """
settle()
kept = [[] for _ in range(300_000)]
assert not [each for each in gc.get_objects(2) if each is kept[0]]
assert len(gc.get_objects(2)) <= 10_000
""",
    "what was let go after it was set aside is collected": """
class Ring: pass
import weakref
ring = Ring()
ring.self = ring
settle()
dead = weakref.ref(ring)
del ring
settle()
assert dead() is not None
kept = [[]]
settle_again()
assert dead() is None
assert not [each for each in gc.get_objects() if each is kept]
""",
    "what comes and goes is collected": """
settle()
settle()
class Ring: pass
import weakref
dead = []
for number in range(40_000):
    ring = Ring()
    ring.self = ring
    if number == 0:
        dead.append(weakref.ref(ring))
assert dead[0]() is None
""",
}


@pytest.mark.parametrize("case", CASES)
def test_collector(case: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BEGIN + CASES[case]], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
