"""Prefect and Luigi run a graph in a Python process of the user's. It is started before, so neither Python nor imports count, but where the
class says otherwise."""

import json
import time
import urllib.request
from pathlib import Path

from .processes import Server
from .system import PEERS, Failed, System, answers, free_port
from .workloads import Workload


class Driven(System):
    """What both have in common: a warm process that is told what to run."""

    script: str

    def __init__(self, folder: Path, workloads: list[Workload], venv: Path) -> None:
        super().__init__(folder, workloads)
        self.bin = venv / "bin"
        self.driver: Server | None = None

    def start(self) -> None:
        self.driver = self.up()

    def up(self) -> Server:
        """A process that has imported what it needs."""
        driver = self.serve([str(self.bin / "python"), str(PEERS / self.script)], "driver.log", talks=True)
        self.answer(driver, None)
        return driver

    def stop(self) -> None:
        super().stop()
        self.driver = None

    def dismiss(self) -> None:
        """Ends the process, in peace."""
        if self.driver is not None:
            self.driver.dismiss()
            self.servers.remove(self.driver)
            self.driver = None

    def data(self, workload: Workload) -> str:
        """The line that asks for a run."""
        return json.dumps(workload.data())

    def answer(self, driver: Server, line: str | None) -> float:
        """The seconds of a run, or nothing once it is ready."""
        told = driver.ask(line) if line else driver.hear()
        found = json.loads(told or '{"error": "the process ended"}')
        if "error" in found:
            raise Failed(f"{found['error']}; {driver.tail()}"[:300])
        return found.get("seconds", 0.0)

    def run(self, workload: Workload) -> float:
        self.driver = self.driver or self.up()
        return self.answer(self.driver, self.data(workload))

    def begin(self, workload: Workload) -> None:
        self.driver = self.driver or self.up()
        self.driver.say(self.data(workload))


class Prefect(Driven):
    """A server of one process with SQLite; flows run in the driver and report to it."""

    name = "Prefect"
    script = "prefect_flows.py"
    recovers = "its server, started again"

    def __init__(self, folder: Path, workloads: list[Workload], venv: Path) -> None:
        super().__init__(folder, workloads, venv)
        self.port = free_port()

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "NO_PROXY": "*",
            "DO_NOT_TRACK": "1",
            "PREFECT_HOME": str(self.folder / "home"),
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        }

    def version(self) -> str:
        return self.call([str(self.bin / "prefect"), "--version"]).split()[-1]

    def start(self) -> None:
        self.serve([str(self.bin / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(self.port)], "server.log")
        self.until(lambda: answers(f"http://127.0.0.1:{self.port}/api/health"), "Prefect's server")
        super().start()

    def rest(self) -> None:
        self.dismiss()

    def state(self) -> str:
        url, body = f"http://127.0.0.1:{self.port}/api/flow_runs/filter", json.dumps({"sort": "START_TIME_DESC", "limit": 1})
        asked = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
            (run,) = json.load(answer)
        return run["state"]["name"]


class WarmLuigi(Driven):
    """Its scheduler in the process itself: files are all that stays."""

    name = "Luigi, warm process"
    script = "luigi_tasks.py"
    has_server = False
    recovers = "the same command again, by hand"

    def version(self) -> str:
        return self.call([str(self.bin / "python"), "-c", "from importlib.metadata import version; print(version('luigi'))"]).strip()

    def data(self, workload: Workload) -> str:
        if workload.shape == "branch":
            raise Failed("has no branches")
        # The run that is killed needs to find its folder again.
        return json.dumps(workload.data() | ({"folder": str(self.folder / "kept")} if workload.name == "interrupted" else {}))

    def begin(self, workload: Workload) -> None:
        self.begun = workload
        super().begin(workload)

    def state(self) -> str:
        done = [task.id for task in self.begun.tasks if (self.folder / "kept" / task.id).exists()]
        return "complete" if len(done) == len(self.begun.tasks) else f"{len(done)} of {len(self.begun.tasks)} files"

    def again(self) -> None:
        self.begin(self.begun)


class Luigi(WarmLuigi):
    """A process a run, as from a shell or cron: Python and imports count."""

    name = "Luigi"

    def start(self) -> None:
        """Nothing has to be up."""

    def run(self, workload: Workload) -> float:
        began, line = time.monotonic(), self.data(workload)
        self.driver = self.up()
        self.answer(self.driver, line)
        self.dismiss()
        return time.monotonic() - began
