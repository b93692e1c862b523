"""Airflow with what it needs at least: API server, scheduler with the LocalExecutor, DAG processor, triggerer; SQLite.

A run is triggered over the REST API. Its end is read from the database, so that waiting costs the servers nothing.
"""

import json
import sqlite3
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from .system import PEERS, Failed, System, answers, free_port
from .workloads import Workload

ENDED = ("success", "failed")


class Airflow(System):
    """Defaults, but for: the loopback, no examples, no login, DAGs that are not paused."""

    name = "Airflow"
    slow = True

    def __init__(self, folder: Path, workloads: list[Workload], venv: Path) -> None:
        super().__init__(folder, workloads)
        self.bin = venv / "bin"
        self.port = free_port()
        self.runs = 0
        (folder / "dags").mkdir()
        (folder / "dags" / "workloads.py").write_text((PEERS / "airflow_dags.py").read_text())
        (folder / "workloads.json").write_text(json.dumps([workload.data() for workload in workloads]))

    def environment(self) -> dict[str, str]:
        kept = super().environment()
        return kept | {
            "PATH": f"{self.bin}:{kept['PATH']}",
            "NO_PROXY": "*",
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{self.port}",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
        }

    def version(self) -> str:
        return self.call([str(self.bin / "airflow"), "version"]).split()[-1]

    def start(self) -> None:
        airflow = str(self.bin / "airflow")
        self.call([airflow, "db", "migrate"])
        for name, options in {"api-server": [], "scheduler": ["--skip-serve-logs"], "dag-processor": [], "triggerer": ["--skip-serve-logs"]}.items():
            self.serve([airflow, name, *options], f"{name}.log")
        self.until(lambda: answers(f"http://127.0.0.1:{self.port}/api/v2/monitor/health"), "Airflow's API server")
        known = "select count(*) from dag where not is_stale"
        self.until(lambda: self.query(known)[0][0] == len(self.workloads), "Airflow's DAG processor")

    def query(self, statement: str, *values: str) -> list[tuple]:
        """Reads the database, never for long enough to be in anyone's way."""
        try:
            with closing(sqlite3.connect(f"file:{self.folder / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
                return database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise Failed(f"Airflow's database: {error}") from error

    def request(self, path: str, body: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
        """Asks the API server."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
            return json.load(answer)

    def begin(self, workload: Workload) -> None:
        token = self.request("/auth/token")["access_token"]
        self.runs += 1
        self.request(f"/api/v2/dags/{workload.name}/dagRuns", {"dag_run_id": self.run_id(), "logical_date": None}, token)

    def run_id(self) -> str:
        """Of the latest run."""
        return f"run{self.runs}"

    def state(self) -> str:
        return self.query("select state from dag_run where run_id = ?", self.run_id())[0][0]

    def run(self, workload: Workload) -> float:
        began = time.monotonic()
        self.begin(workload)
        self.until(lambda: self.state() in ENDED, workload.name, timeout=600)
        if self.state() != "success":
            raise Failed(f"{workload.name}: {self.state()}")
        return time.monotonic() - began
