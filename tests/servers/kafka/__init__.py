"""A real Apache Kafka broker for tests: one node, KRaft, on 127.0.0.1 and free ports.

Java 17 runs the jars of KAFKA_HOME, or those that Maven fetches once into the cache. Nothing is
skipped where one is missing: the tests fail with what to install.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from platformdirs import user_cache_path

from tests.servers.ports import free_ports

HERE = Path(__file__).parent
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_START_SECONDS = 120
_CLUSTER = "dGhyZXNoZXItdGVzdHMtMQ"  # any 16 bytes in base64
_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=500
log.cleaner.backoff.ms=500
"""


class NoBroker(Exception):
    """There is no Kafka to start."""


class Broker:
    """A broker process over one folder; it can be killed and started again.

    `environment`: that of the official image, whose own program sets the broker up by it; {port},
    {controller} and {data} stand for ours.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._java = _java()
        self._jars = _jars()
        self.port, controller = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._config = folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        ours = {"port": self.port, "controller": controller, "data": folder / "data"}
        if environment is None:
            self._config.write_text(_SETTINGS.format(**ours))
            self._run("kafka.tools.StorageTool", "format", f"--cluster-id={_CLUSTER}",
                      "--config", str(self._config), "--standalone")  # fmt: skip
        else:
            named = {name: value.format(**ours) for name, value in environment.items()}
            places = {"default": folder / "none", "mounted": folder / "none", "final": folder}
            self._run("kafka.docker.KafkaDockerWrapper", "setup",
                      *(f"--{kind}-configs-dir={place}" for kind, place in places.items()),
                      **named)  # fmt: skip

    def start(self) -> None:
        """Returns when a client is answered; raises NoBroker with the end of its log."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command("kafka.Kafka"), str(self._config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.bootstrap):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise NoBroker(f"kafka: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.2)
        drop_sockets()

    def freeze(self) -> None:
        """It takes messages from the wire no more, and answers nobody; then it can be killed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """As if by kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _run(self, main: str, *arguments: str, **environment: str) -> None:
        others = {name: it for name, it in os.environ.items() if not name.startswith("KAFKA_")}
        done = subprocess.run(
            [*self._command(main), *arguments], env=others | environment,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        if done.returncode:
            raise NoBroker(f"{main}: {(done.stdout + done.stderr)[-1000:]}")

    def _command(self, main: str) -> list[str]:
        return [
            self._java, "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Djava.net.preferIPv4Stack=true", f"-Dkafka.logs.dir={self._folder}",
            f"-Dlog4j2.configurationFile={(HERE / 'log4j2.xml').as_uri()}",
            "-cp", f"{self._jars}/*", main,
        ]  # fmt: skip


def drop_sockets() -> None:
    """Collects the sockets that clients of kafka-python leave open when nobody answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextmanager
def broker(environment: Mapping[str, str] | None = None) -> Iterator[Broker]:
    """A running broker of our own, gone at the end; `environment` as in Broker."""
    folder = Path(tempfile.mkdtemp(prefix="thresher-kafka-"))
    try:
        running = Broker(folder, environment)
        try:
            running.start()
            yield running
        finally:
            running.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    found = f"{home}/bin/java" if home else shutil.which("java")
    if not found:
        raise NoBroker("these tests need Java 17: apt install default-jre-headless")
    return found


def _jars() -> Path:
    """Fetched once; a half-filled folder is never used."""
    given = os.environ.get("KAFKA_HOME")
    if given:
        return Path(given) / "libs"
    place = user_cache_path("thresher-tests") / "kafka-4.1.1"
    if place.exists():
        return place
    maven = shutil.which("mvn")
    if not maven:
        raise NoBroker("these tests need Maven, to fetch Kafka's jars: apt install maven")
    place.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(dir=place.parent))
    done = subprocess.run(
        [maven, "-B", "-q", "-ntp", "-f", str(HERE / "pom.xml"), _PLUGIN,
         f"-DoutputDirectory={half}", "-DincludeScope=runtime"],
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    if done.returncode:
        shutil.rmtree(half)
        raise NoBroker(f"Kafka's jars could not be fetched: {(done.stdout + done.stderr)[-800:]}")
    try:
        half.rename(place)
    except OSError:  # another run of the tests was faster
        shutil.rmtree(half)
    return place


def _answers(bootstrap: str) -> bool:
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=2000)
    except (KafkaError, OSError):
        return False
    try:
        admin.list_topics()
    except KafkaError:
        return False
    finally:
        admin.close()
    return True
