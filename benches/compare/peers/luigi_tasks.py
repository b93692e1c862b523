"""The workloads as Luigi tasks; a file says that a task is complete. Luigi has no branches, and its central scheduler keeps no runs."""

import os
import subprocess
import tempfile
from pathlib import Path

import luigi
from conversation import converse

RUNS: dict[str, dict[str, dict]] = {}


class Command(luigi.Task):
    """A program, once those that it needs have left their files."""

    folder = luigi.Parameter()
    name = luigi.Parameter()

    def task(self) -> dict:
        """What the workload says of it."""
        return RUNS[self.folder][self.name]

    def requires(self) -> list["Command"]:
        return [Command(folder=self.folder, name=need) for need in self.task()["needs"]]

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(str(Path(self.folder) / self.name))

    def run(self) -> None:
        subprocess.run(self.task()["command"], check=True)
        with self.output().open("w"):
            pass


def run(workload: dict) -> None:
    """In a folder of its own, unless the workload says which. One worker for a chain (more would only fork), one a core for a fan-out."""
    folder = workload.get("folder") or tempfile.mkdtemp(dir=Path.cwd())
    Path(folder).mkdir(exist_ok=True)
    RUNS[folder] = {task["id"]: task for task in workload["tasks"]}
    workers = (os.cpu_count() or 1) if workload["shape"] == "wide" else 1
    last = Command(folder=folder, name=workload["tasks"][-1]["id"])
    if not luigi.build([last], workers=workers, local_scheduler=True, log_level="WARNING"):
        raise RuntimeError("Luigi says that it failed")


if __name__ == "__main__":
    converse(run)
