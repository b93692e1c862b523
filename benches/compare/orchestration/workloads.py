"""The graphs that every system runs, as plain data. Each system writes them in its own language."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """A program, once all tasks in `needs` have ended."""

    id: str
    command: tuple[str, ...] = ("true",)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workload:
    """A graph of tasks. In a `branch`, the first task decides for the second, so the third is skipped, and the last joins them."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    shape: str = "chain"
    # Left out for slow systems, unless it is asked for.
    long: bool = field(default=False, compare=False)

    def data(self) -> dict[str, Any]:
        """As JSON, for the peers' scripts."""
        return asdict(self)


def chain(name: str, title: str, commands: list[tuple[str, ...]], long: bool = False) -> Workload:
    """Each task needs the one before it."""
    tasks = [Task(f"t{at}", command, (f"t{at - 1}",) if at else ()) for at, command in enumerate(commands)]
    return Workload(name, title, tuple(tasks), long=long)


def fan_out(width: int) -> Workload:
    """One task, `width` that need it, and one that needs them all."""
    wide = tuple(Task(f"t{at}", needs=("first",)) for at in range(width))
    tasks = (Task("first"), *wide, Task("join", needs=tuple(task.id for task in wide)))
    return Workload(f"fan_out_{width}", f"fan-out of {width} and a join", tasks, "wide")


BRANCH = Workload(
    "branch",
    "branch with a skipped side",
    (Task("choose"), Task("taken", needs=("choose",)), Task("skipped", needs=("choose",)), Task("join", needs=("taken", "skipped"))),
    "branch",
)
ONE = chain("one", "one task", [("true",)])
WORKLOADS = [
    chain("chain_10", "chain of 10", [("true",)] * 10),
    chain("chain_100", "chain of 100", [("true",)] * 100, long=True),
    fan_out(100),
    BRANCH,
    chain("windmill_40", "40 tasks of 10 ms in a row", [("sleep", "0.01")] * 40),
]
# Long enough for CPU seconds, which /proc tells in hundredths.
COSTED = [WORKLOADS[1], WORKLOADS[2], WORKLOADS[4]]
# Whose processes and memory are sampled, in a run of its own that is not timed.
WIDEST = WORKLOADS[2]


def interrupted(marker: str) -> Workload:
    """The middle task writes a line to `marker` when it starts, and then takes so long that everything can be killed under it."""
    return chain("interrupted", "killed in its second task", [("true",), ("bash", "-c", f"echo started >> {marker}; sleep 5"), ("true",)])
