"""Files that are put in place at once, over whatever is there."""

from __future__ import annotations

import os
from pathlib import Path

from infra.in_place import write


def test_a_reader_never_finds_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "thresher.ics"
    write(path, b"one")
    with path.open("rb") as opened:
        write(path, b"two")
        assert opened.read() == b"one"
    assert path.read_bytes() == b"two"
    assert [each.name for each in path.parent.iterdir()] == ["thresher.ics"]


def test_a_link_and_who_may_read_stay_as_they_are(tmp_path: Path) -> None:
    path, link = tmp_path / "private.csv", tmp_path / "link.csv"
    path.write_bytes(b"one")
    path.chmod(0o600)
    link.symlink_to(path)
    write(link, b"two")
    assert link.is_symlink()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o600)


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(pipe, b"one")
        assert os.read(reader, 10) == b"one"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
