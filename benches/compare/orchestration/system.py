"""What a system has to be able to do in order to be measured."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from .processes import Server, bury, kill_all
from .workloads import Workload

PEERS = Path(__file__).resolve().parents[1] / "peers"
# What a system may inherit: nothing that configures another one, and no proxy for the loopback.
INHERITED = ("PATH", "HOME", "USER", "LANG", "TMPDIR")


class Failed(Exception):
    """It is not installed, did not start, or did not finish."""


class System(ABC):
    """A system in a folder of its own. It measures nothing: it starts, runs and stops."""

    name: str
    # One round, and no long workloads unless they are asked for.
    slow = False
    # Whether something stays up that could start a run or take one up again.
    has_server = True
    # Who takes an interrupted run up again.
    recovers = "its servers, started again"

    def __init__(self, folder: Path, workloads: list[Workload]) -> None:
        self.folder = folder
        self.workloads = workloads
        self.servers: list[Server] = []
        folder.mkdir(parents=True)

    @abstractmethod
    def version(self) -> str:
        """As it tells itself."""

    @abstractmethod
    def start(self) -> None:
        """Brings up what has to be up before a run can be triggered, from nothing or from what an earlier start left."""

    @abstractmethod
    def run(self, workload: Workload) -> float:
        """Triggers a run and waits for its end; the seconds between."""

    @abstractmethod
    def begin(self, workload: Workload) -> None:
        """Triggers a run and does not wait."""

    @abstractmethod
    def state(self) -> str:
        """How the run that `begin` triggered stands, in the system's word."""

    def rest(self) -> None:
        """Ends what need not be up while no run is under way; by default there is nothing such."""
        return

    def again(self) -> None:
        """What an operator does after everything was killed."""
        self.start()

    def serve(self, command: list[str], log: str, talks: bool = False) -> Server:
        """Starts a program that stays up."""
        try:
            server = Server(command, self.folder, self.environment(), self.folder / log, talks)
        except FileNotFoundError as error:
            raise Failed("not installed") from error
        self.servers.append(server)
        return server

    def environment(self) -> dict[str, str]:
        """Of all its programs."""
        return {name: os.environ[name] for name in INHERITED if name in os.environ}

    def call(self, command: list[str], timeout: float = 300) -> str:
        """Runs a program to its end; what it printed."""
        try:
            done = subprocess.run(command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=timeout, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(str(error)) from error
        if done.returncode != 0:
            raise Failed(f"exit {done.returncode}: {((done.stderr or done.stdout).strip().splitlines() or [''])[-1][:200]}")
        return done.stdout

    def stop(self) -> None:
        """Kills everything, at once."""
        kill_all()
        for server in self.servers:
            server.process.wait()
        self.servers.clear()
        bury()

    def until(self, holds: Callable[[], bool], what: str, timeout: float = 300, every: float = 0.05) -> None:
        """Waits until it holds."""
        deadline = time.monotonic() + timeout
        while not holds():
            for server in self.servers:
                if server.process.poll() is not None:
                    raise Failed(f"{what}: a server ended with {server.process.returncode}: {server.tail()}")
            if time.monotonic() > deadline:
                raise Failed(f"{what}: not within {timeout:.0f} s")
            time.sleep(every)


def answers(url: str) -> bool:
    """Whether there is a server that says that it is well."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
