"""The workloads as Airflow DAGs, read from workloads.json in AIRFLOW_HOME. `benches/compare/orchestrators` copies this file into the DAG folder."""

import json
import os
import shlex
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import DAG


def dag(workload: dict) -> DAG:
    """One DAG, that only a trigger starts."""
    made: dict = {}
    with DAG(workload["name"], schedule=None) as built:
        for at, task in enumerate(workload["tasks"]):
            if workload["shape"] == "branch" and at == 0:
                made[task["id"]] = BranchPythonOperator(task_id=task["id"], python_callable=lambda: "taken")
                continue
            rule = "none_failed_min_one_success" if workload["shape"] == "branch" and len(task["needs"]) > 1 else "all_success"
            made[task["id"]] = BashOperator(task_id=task["id"], bash_command=shlex.join(task["command"]), trigger_rule=rule)
            made[task["id"]].set_upstream([made[need] for need in task["needs"]])
    return built


for workload in json.loads((Path(os.environ["AIRFLOW_HOME"]) / "workloads.json").read_text()):
    globals()[workload["name"]] = dag(workload)
