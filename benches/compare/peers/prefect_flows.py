"""The workloads as Prefect flows. A task of a chain is called, so that the next one waits for it; those of a fan-out are submitted."""

import subprocess

from conversation import converse
from prefect import flow, task


@task
def command(arguments: list[str]) -> None:
    """A program."""
    subprocess.run(arguments, check=True)


@task
def choose() -> str:
    """The side of a branch."""
    return "taken"


def chain(tasks: list[dict]) -> None:
    """In their order."""
    for one in tasks:
        command.with_options(name=one["id"])(one["command"])


def wide(tasks: list[dict]) -> None:
    """At the same time, as far as their needs let them."""
    made: dict = {}
    for one in tasks:
        made[one["id"]] = command.with_options(name=one["id"]).submit(one["command"], wait_for=[made[need] for need in one["needs"]])
    for future in made.values():
        future.result()


def branch(tasks: list[dict]) -> None:
    """Prefect branches in Python: the other side is not called, and no state says so."""
    side = choose()
    chain([one for one in tasks[1:] if one["id"] in (side, "join")])


SHAPES = {"chain": chain, "wide": wide, "branch": branch}


def run(workload: dict) -> None:
    """One flow run."""
    flow(name=workload["name"])(lambda: SHAPES[workload["shape"]](workload["tasks"]))()


if __name__ == "__main__":
    converse(run)
