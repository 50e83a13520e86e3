"""The image, without an engine: its steps in empty folders, then its commands as another user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.dockerfile import Build, Dockerfile
from tests.end_to_end.command import ROOT

FILE = Dockerfile(ROOT / "infra/deploy/Dockerfile")
BUILDS, IMAGE = range(2)
USER = int(FILE.last("USER"))
# Where packages come from, and whom to trust, is of the machine.
OF_THE_MACHINE = re.compile(r"PIP_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|https?_proxy", re.IGNORECASE)
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture
def root() -> Iterator[Path]:
    """An empty folder that everybody may look into."""
    folder = Path(tempfile.mkdtemp(prefix="thresher-image-"))
    folder.chmod(0o755)
    yield folder
    subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    shutil.rmtree(folder)


def test_the_user_of_the_image_is_the_one_that_it_makes() -> None:
    (made,) = (step.text for step in FILE.stages[IMAGE] if step.word == "RUN")
    assert USER > 0
    assert f"--uid {USER} " in made


def test_what_was_built_stays_where_its_programs_look_for_it() -> None:
    """An environment of Python cannot be moved."""
    (copied,) = (step.text for step in FILE.stages[IMAGE] if step.word == "COPY")
    origin, source, target = copied.split()
    assert origin == "--from=build"
    assert source == target


@pytest.mark.image
@pytest.mark.postgres
def test_the_steps_make_a_thresher_that_another_user_runs(root: Path, empty_postgres: str) -> None:
    build = Build(root, ROOT, ("/opt/thresher", "/build", "/data"))
    base = {"PATH": f"{a_python(root)}:{SYSTEM}"}
    machine = {name: each for name, each in os.environ.items() if OF_THE_MACHINE.fullmatch(name)}
    build.run(FILE, BUILDS, base | machine)
    shutil.rmtree(root / "build")
    what_only_builds_is_gone(root / "opt/thresher")

    image = Image(root, build, base)
    assert "Usage: thresher" in image("--help")
    image("demo")
    played = root / "data/thresher-demo.db"
    assert played.is_file()
    image("verify", "--rebuild", url=f"sqlite:///{played}")
    image("migrate", url=empty_postgres)
    lines = image("simulate", "exchange", "--messages", "100")
    image("import", "-", url=empty_postgres, text=lines)
    image("verify", "--rebuild", url=empty_postgres)


class Image:
    """What was built, in the environment of the image, as its user, who may write to /data alone.

    Where the tests are not root the user stays, and the install is made read-only to it.
    """

    def __init__(self, root: Path, build: Build, base: dict[str, str]) -> None:
        self._place = root / "data"
        self._environment = base
        for step in FILE.stages[IMAGE]:
            if step.word == "ENV":
                self._environment = build.with_env(step, self._environment)
        self._place.mkdir(mode=0o700)
        self._who: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._who = {"user": USER, "group": USER, "extra_groups": []}
            os.chown(self._place, USER, USER)
        else:
            subprocess.run(["chmod", "-R", "a-w", root / "opt"], check=True)
        self._run(["test", "!", "-w", root / "opt/thresher/bin/thresher"])

    def __call__(self, *arguments: str, url: str = "", text: str = "") -> str:
        """Runs a command, which ends well; returns what it wrote."""
        return self._run([*FILE.entrypoint, *arguments], url, text)

    def _run(self, command: list[str | Path], url: str = "", text: str = "") -> str:
        given = {"THRESHER_DATABASE_URL": url} if url else {}
        done = subprocess.run(
            command, cwd=self._place, env=self._environment | given, input=text, text=True,
            capture_output=True, check=False, timeout=300, **self._who,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout[-500:]} {done.stderr[-2000:]}"
        return str(done.stdout)


def what_only_builds_is_gone(place: Path) -> None:
    (packages,) = place.glob("lib/python3*/site-packages")
    names = {each.name.partition("-")[0] for each in packages.glob("*.dist-info")}
    assert {"thresher", "sqlalchemy", "psycopg"} <= {name.lower() for name in names}
    assert not names & {"pip", "hatchling", "setuptools", "packaging", "pluggy"}
    assert (packages / "infra").is_dir()
    assert not (packages / "infra/deploy").exists()
    assert not (packages / "tests").exists()


def a_python(root: Path) -> Path:
    """A folder with `python`, as the base image has it: one that its user may run."""
    who: dict[str, Any] = {"user": USER} if os.geteuid() == 0 else {}
    able = "import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
    for found in (Path(sys.base_prefix) / "bin/python3", Path("/usr/bin/python3")):
        try:
            asked = subprocess.run([found, "-c", able], capture_output=True, check=False, **who)
        except OSError:  # it is not there, or not for everybody
            continue
        if asked.returncode == 0:
            folder = root / "python"
            folder.mkdir()
            (folder / "python").symlink_to(found)
            return folder
    raise AssertionError("no Python 3.11 that every user may run: apt install python3-venv")
