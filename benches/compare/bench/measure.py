"""Runs one program and measures it from outside: wall-clock seconds, CPU seconds of all its processes, peak memory of the largest.

On a machine that others use too, compare CPU seconds: the wall clock tells how many took turns.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PEERS = Path(__file__).resolve().parents[1] / "peers"


class Failed(Exception):
    """The program ended with another exit code than 0, or its package is not installed."""


@dataclass(frozen=True)
class Measured:
    """One run of a program."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    told: dict[str, Any] = field(default_factory=dict)


def measure(command: list[str], cwd: Path, niceness: int, timeout: float) -> Measured:
    """Runs `command` in `cwd`; its last line of standard output that is a JSON object is what it tells."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RECFLOW_")}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=out, stderr=err, preexec_fn=lambda: os.nice(niceness), start_new_session=True
        )
        timer = threading.Timer(timeout, lambda: os.killpg(process.pid, 9))
        timer.start()
        ended = threading.Event()
        family = Family(process.pid)
        watcher = threading.Thread(target=family.watch, args=(ended,))
        watcher.start()
        # wait4 counts the program and all children that it waited for; of their peaks it gives the largest.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        timer.cancel()
        ended.set()
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if process.returncode != 0:
        last = (stderr or stdout).strip().splitlines()[-1:] or [""]
        raise Failed(f"exit {process.returncode} after {seconds:.0f} s: {last[0][:200]}")
    cpu = max(usage.ru_utime + usage.ru_stime, sum(family.cpu_seconds.values()))
    return Measured(seconds, cpu, max(usage.ru_maxrss / 1024, family.peak_mib), told(stdout))


class Family:
    """Looks now and then at the processes of a session: a JVM that nobody waits for is in no parent's figures."""

    def __init__(self, session: int) -> None:
        self.session = session
        self.cpu_seconds: dict[int, float] = {}
        self.peak_mib = 0.0

    def watch(self, ended: threading.Event) -> None:
        """Until `ended`."""
        while not ended.wait(0.2):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    # The name, in parentheses, may hold anything.
                    fields = (process / "stat").read_text().rpartition(")")[2].split()
                    if int(fields[3]) == self.session:
                        self.note(process, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
                except (OSError, IndexError):
                    continue  # it ended meanwhile

    def note(self, process: Path, cpu: float) -> None:
        """Keeps the figures of one process."""
        self.cpu_seconds[int(process.name)] = cpu
        for line in (process / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                self.peak_mib = max(self.peak_mib, int(line.split()[1]) / 1024)


def told(stdout: str) -> dict[str, Any]:
    """The JSON object that a program printed: recflow over many lines, a peer in its last."""
    for text in (stdout, *reversed(stdout.splitlines())):
        try:
            found = json.loads(text)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def peer(script: str, **arguments: Any) -> list[str]:
    """The command of a script in `peers/`, which gets its arguments as JSON."""
    return [sys.executable, str(PEERS / script), json.dumps({key: str(value) if isinstance(value, Path) else value for key, value in arguments.items()})]
