"""Real processes of the streaming edition, and who starts again what ends by itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import count
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 60
_GAVE_UP = 1
# Before it began to work; or while it waited for a server that was away.
_AS_ASKED = {0, -signal.SIGTERM, _GAVE_UP}
# For what a process may give up as well: a connection that was cut.
_AWAY = re.compile(
    r"^(sqlalchemy\.exc|eventsourcing\.persistence|psycopg)\.(Operational|Interface)Error$"
    r"|^kafka\.errors\."
)


class Member:
    """One process that is to run; each run of it tells its errors to a file of its own."""

    def __init__(self, command: str, log: Path, environment: Mapping[str, str]) -> None:
        self.command = command
        self.log = log
        self.is_frozen = False
        with log.open("wb") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.main", *command.split()], cwd=ROOT,
                env=dict(environment), stdin=subprocess.DEVNULL, stdout=told, stderr=told,
            )  # fmt: skip

    def freeze(self) -> None:
        """It stands still and answers nobody."""
        self.is_frozen = True
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, as if no time had passed."""
        self.is_frozen = False
        self.process.send_signal(signal.SIGCONT)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")


class Fleet:
    """Members of one environment. `ended` counts how they ended, by command and how."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.members: list[Member] = []
        self.ended: Counter[str] = Counter()
        self._folder = folder
        self._numbers = count(1)
        self._places = settings["database_url"], settings["kafka"]  # what is away, if one gives up
        named = {f"THRESHER_{name.upper()}": value for name, value in settings.items()}
        self._environment = os.environ | named | {"COLUMNS": "200"}

    def start(self, command: str) -> Member:
        """One more."""
        log = self._folder / f"{command.partition(' ')[0]}-{next(self._numbers)}.log"
        member = Member(command, log, self._environment)
        self.members.append(member)
        return member

    def of(self, command: str) -> list[Member]:
        """Those that run and are not frozen."""
        return [each for each in self.members if each.command == command and not each.is_frozen]

    def kill(self, member: Member) -> None:
        """kill -9, and another in its place."""
        member.process.kill()
        member.process.wait(_PATIENCE_SECONDS)
        self._gone(member, "killed")
        self.start(member.command)

    def stop(self, member: Member) -> None:
        """Asks it to end."""
        member.process.terminate()
        self._left(member, member.process.wait(_PATIENCE_SECONDS), _AS_ASKED)

    def stop_all(self) -> None:
        """Asks all to end, at once."""
        for member in self.members:
            member.process.terminate()
        for member in list(self.members):
            self._left(member, member.process.wait(_PATIENCE_SECONDS), _AS_ASKED)

    def supervise(self) -> None:
        """Starts again what ended by itself, as whoever runs it in earnest does."""
        for member in list(self.members):
            code = member.process.poll()
            if code is not None:
                self._left(member, code, {_GAVE_UP})
                self.start(member.command)

    def has_ended(self) -> bool:
        """Never: raises AssertionError if one ended by itself."""
        for member in self.members:
            assert member.process.poll() is None, member.said[-3000:]
        return False

    def close(self) -> None:
        """Nothing of it is left."""
        for member in self.members:
            member.process.kill()
            member.process.wait()
        self.members = []

    def told(self) -> str:
        """The ends of what all said: for whoever has to find out why."""
        logs = sorted(self._folder.glob("*.log"), key=lambda each: each.stat().st_mtime)
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in logs)

    def _left(self, member: Member, code: int, expected: set[int]) -> None:
        """It ended by itself, or because it was asked to; if it gave up, for what is not its own
        fault."""
        assert code in expected, f"{member.command} ended with {code}: {member.said[-3000:]}"
        assert "Traceback" not in member.said, member.said[-3000:]
        if code == _GAVE_UP:
            reason = _last_words(member)
            is_known = reason.startswith(self._places) or _AWAY.search(reason)
            assert is_known, member.said[-3000:]
        self._gone(member, "gave up" if code == _GAVE_UP else "stopped")

    def _gone(self, member: Member, how: str) -> None:
        self.members.remove(member)
        self.ended[f"{member.command} {how}"] += 1


def _last_words(member: Member) -> str:
    """The reason that the last line of a log gives, or the kind of error."""
    line = json.loads(member.said.rstrip().rpartition("\n")[2])
    assert line["event"] == "failed", line
    return str(line.get("error") or line["reason"])
