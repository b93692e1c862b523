"""One round of one system: from nothing to a first run, all workloads, memory, rest, and a kill of everything."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from .processes import Peak, cpu_seconds, pss_mib
from .system import Failed, System
from .workloads import ONE, WIDEST, Workload, interrupted

# States that will not change any more, in the systems' words.
FINAL = ("succeeded", "failed", "cancelled", "success", "Completed", "Failed", "Crashed", "complete")


def measured(system: System, workloads: list[Workload], rest: float, patience: float) -> dict[str, Any]:
    """All figures, as JSON. What fails is named in `failures`, and the rest goes on."""
    found: dict[str, Any] = {"workloads": {}, "failures": {}, "load": os.getloadavg()[0]}
    steps = {
        "cold_start": lambda: found.update(cold_start=cold_start(system)),
        **{one.name: lambda one=one: found["workloads"].update({one.name: timed(system, one)}) for one in workloads},
        "memory": lambda: found.update(peak_mib=peak(system)) if WIDEST in workloads else None,
        "rest": lambda: found.update(idle(system, rest)) if system.has_server else None,
        "kill": lambda: found.update(kill=killed(system, patience)) if patience else None,
    }
    try:
        for name, step in steps.items():
            try:
                step()
            except (Failed, OSError) as error:
                found["failures"][name] = str(error)
                tell(f"{name}: {error}")
                if name == "cold_start":
                    break
    finally:
        system.stop()
    return found


def cold_start(system: System) -> float:
    """Seconds from an empty folder to the end of a first run of one task."""
    began = time.monotonic()
    system.start()
    system.run(ONE)
    seconds = time.monotonic() - began
    tell(f"cold start {seconds:.2f} s")
    return seconds


def timed(system: System, workload: Workload) -> dict[str, float]:
    """Seconds of a run, and what all processes used until they rested again."""
    settle()
    before = cpu_seconds()
    seconds = system.run(workload)
    settle()
    cpu = cpu_seconds() - before
    tell(f"{workload.title}: {seconds:.3f} s, CPU {cpu:.2f} s")
    return {"seconds": seconds, "cpu_seconds": cpu}


def settle(patience: float = 20) -> None:
    """Waits until less than a tenth of a core is used: what a server does after a run would delay the next one."""
    deadline, share = time.monotonic() + patience, 1.0
    while share > 0.1 and time.monotonic() < deadline:
        before, began = cpu_seconds(), time.monotonic()
        time.sleep(0.5)
        share = (cpu_seconds() - before) / (time.monotonic() - began)


def peak(system: System) -> float:
    """Most memory of all processes together during the widest workload, which is not timed here."""
    with Peak() as sampled:
        system.run(WIDEST)
    tell(f"peak {sampled.mib:.0f} MiB")
    return sampled.mib


def idle(system: System, seconds: float) -> dict[str, float]:
    """Memory and share of one core while there is nothing to do; a few seconds after the last run."""
    system.rest()
    time.sleep(3)
    before, began = cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    share = (cpu_seconds() - before) / (time.monotonic() - began)
    tell(f"at rest {pss_mib():.0f} MiB, {share:.2%} of a core")
    return {"idle_mib": pss_mib(), "idle_cpu": share}


def killed(system: System, patience: float) -> dict[str, Any]:
    """Kills everything while the second of three tasks runs, brings the system up again and looks at the run for `patience` seconds."""
    marker = marker_of(system.folder)
    system.begin(interrupted(str(marker)))
    system.until(marker.exists, "the second task")
    system.stop()
    began = time.monotonic()
    system.again()
    up = time.monotonic()
    while (state := system.state()) not in FINAL and time.monotonic() - up < patience:
        time.sleep(0.1)
    seconds = time.monotonic() - began
    tell(f"killed: {state} after {seconds:.1f} s")
    return {"state": state, "final": state in FINAL, "seconds": seconds, "starts": len(marker.read_text().splitlines()), "by": system.recovers}


def marker_of(folder: Path) -> Path:
    """What the interrupted task writes to."""
    return folder / "started.txt"


def tell(text: str) -> None:
    """What is going on."""
    print(f"    {text}", file=sys.stderr, flush=True)
