"""Everything that a system started, seen from outside: CPU seconds, proportional memory, and its end.

This process becomes the one that orphans fall to, so whatever a system starts stays below it, daemons too. One system runs at a
time: all descendants are its.
"""

import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")


def adopt_orphans() -> None:
    """Has the kernel give orphaned descendants to this process rather than to init."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become the reaper of orphans")


def stats() -> dict[int, list[str]]:
    """The fields of /proc/PID/stat after the name, of all processes; the first is the state, the second the parent."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name, in parentheses, may hold anything.
            found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
    return found


def descendants() -> dict[int, list[str]]:
    """Their stat fields, zombies too."""
    all_stats = stats()
    below: dict[int, list[int]] = {}
    for pid, fields in all_stats.items():
        below.setdefault(int(fields[1]), []).append(pid)
    found, open_ends = {}, [os.getpid()]
    while open_ends:
        for pid in below.get(open_ends.pop(), []):
            found[pid] = all_stats[pid]
            open_ends.append(pid)
    return found


def cpu_seconds() -> float:
    """What all descendants have used so far: those that were waited for, and those that are there with what they waited for."""
    reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
    there = sum(sum(map(int, fields[11:15])) for fields in descendants().values())
    return reaped.ru_utime + reaped.ru_stime + there / TICKS


def pss_mib() -> float:
    """Proportional set size of all descendants: a page that n of them share counts an n-th for each."""
    total = 0
    for pid in descendants():
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it ended, or is a zombie
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def kill_all() -> None:
    """SIGKILL to all descendants, again until none is left: the power cut of a scenario, and the end of every measurement."""
    deadline = time.monotonic() + 30
    while alive := [pid for pid, fields in descendants().items() if fields[0] != "Z"]:
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise RuntimeError(f"processes that cannot be killed: {alive}")
        time.sleep(0.01)


def bury() -> None:
    """Waits for adopted zombies. Only after every `Popen` was waited for, whose exit codes this would take."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


class Server:
    """A program that stays up, in a session of its own; its output goes to a file."""

    def __init__(self, command: list[str], cwd: Path, environment: dict[str, str], log: Path, talks: bool = False) -> None:
        pipe = subprocess.PIPE if talks else None
        with log.open("ab") as written:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=environment, stdin=pipe or subprocess.DEVNULL, stdout=pipe or written, stderr=written, start_new_session=True
            )
        self.log = log

    def ask(self, line: str) -> str:
        """Writes a line to a program that talks, and reads its answer: nothing if it has ended."""
        self.say(line)
        return self.hear()

    def say(self, line: str) -> None:
        """Writes a line to it."""
        if self.process.stdin and self.process.poll() is None:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def hear(self) -> str:
        """Reads a line from it."""
        return self.process.stdout.readline().decode() if self.process.stdout else ""

    def dismiss(self) -> None:
        """Closes the conversation and waits for the program's end."""
        self.process.communicate()

    def tail(self) -> str:
        """The last line of its output."""
        return (self.log.read_text(errors="replace").strip().splitlines() or [""])[-1][:200]


class Peak:
    """Samples memory in the background, as fast as it can be summed up: the highest is what counts."""

    def __init__(self) -> None:
        self.mib = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.sample)

    def sample(self) -> None:
        """Until the end."""
        while not self.ended.wait(0.005):
            self.mib = max(self.mib, pss_mib())

    def __enter__(self) -> "Peak":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
