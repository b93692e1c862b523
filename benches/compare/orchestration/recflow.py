"""recflow: `recflow run`, which needs nothing beside it, and `recflow daemon` with `recflow trigger`."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .system import Failed, System, answers, free_port
from .workloads import Task, Workload


class Recflow(System):
    """What both have in common: a workspace with the pipelines in it."""

    def __init__(self, folder: Path, workloads: list[Workload], binary: Path) -> None:
        super().__init__(folder, workloads)
        self.binary = str(binary)
        (folder / "pipelines").mkdir()
        for workload in workloads:
            # JSON is YAML.
            (folder / "pipelines" / f"{workload.name}.yaml").write_text(json.dumps({"tasks": pipeline(workload)}))

    def version(self) -> str:
        return self.call([self.binary, "--version"]).split()[-1]

    def state(self) -> str:
        return self.latest()["status"]

    def latest(self) -> dict[str, Any]:
        """The newest run, as it is recorded."""
        (run,) = json.loads(self.call([self.binary, "runs", "--limit", "1", "--json"]))
        return run


class Run(Recflow):
    """A process a run; the whole of it counts."""

    name = "recflow run"
    has_server = False
    recovers = "`recflow resume`, by hand"

    def start(self) -> None:
        """Nothing has to be up."""

    def run(self, workload: Workload) -> float:
        began = time.monotonic()
        self.call([self.binary, "run", workload.name, "--quiet"])
        return time.monotonic() - began

    def begin(self, workload: Workload) -> None:
        self.serve([self.binary, "run", workload.name, "--quiet"], "run.log")

    def again(self) -> None:
        self.serve([self.binary, "resume", "latest", "--quiet"], "resume.log")


class Daemon(Recflow):
    """One process for all runs; a trigger is another. The recorded end counts, since `trigger --wait` looks for it now and then only."""

    name = "recflow daemon"

    def start(self) -> None:
        if "daemon" not in self.call([self.binary, "--help"]):
            raise Failed("this binary has no daemon")
        port = free_port()
        self.serve([self.binary, "daemon", "--listen", f"127.0.0.1:{port}"], "daemon.log")
        self.until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "recflow daemon", every=0.005)

    def run(self, workload: Workload) -> float:
        began = datetime.now(UTC)
        self.call([self.binary, "trigger", workload.name, "--wait"])
        return (datetime.fromisoformat(self.latest()["ended_at"]) - began).total_seconds()

    def begin(self, workload: Workload) -> None:
        self.call([self.binary, "trigger", workload.name])


def pipeline(workload: Workload) -> dict[str, dict]:
    """The tasks, in recflow's language."""
    tasks = {task.id: shell(task) for task in workload.tasks}
    if workload.shape == "branch":
        choose, taken, _, join = (task.id for task in workload.tasks)
        tasks[choose] = {"branch": [{"when": True, "to": taken}]}
        tasks[join]["trigger_rule"] = "none_failed_min_one_success"
    return tasks


def shell(task: Task) -> dict:
    """A task that runs a program."""
    return {"stage": "shell", "needs": list(task.needs), "with": {"command": list(task.command)}}
