"""A file that is read while it is written anew: one finds the old or the new one, never half."""

from __future__ import annotations

import shutil
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Puts the file in place at once, makes its folder if need be, and leaves who may read it.

    A link stays one, and what is no file (a pipe, a device) is written to. Raises OSError.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.touch()
    if path.exists():
        shutil.copymode(path, partial)  # before there is anything to read
    partial.write_bytes(content)
    partial.replace(path)
