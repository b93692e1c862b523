"""A stream of new ratings into the processed sets: the cost follows the months that are touched, not the dataset."""

import os
import shutil

from bench.contest import Contender, Told
from bench.measure import peer
from bench.world import World, output

TITLE = "merge"


def contenders(world: World) -> list[Contender]:
    """1 % of the ratings, in the last month of the dataset, or spread over all of them. Polars reads, unites and writes the months touched."""
    world.ensure_parquet()
    made = [world.path("compared/new", spread) for spread in ("month", "all")]
    for folder, months in zip(made, (1, 1000), strict=True):
        if not folder.exists():
            world.run_peer("new_ratings.py", train=world.path("data/processed/parquet/train"), output=folder, months=months)
    fresh = [world.path("compared/merged"), world.path("compared/stream")]
    own = world.stage("merge", processed="compared/merged", stream="compared/stream")

    def prepare(new: str) -> None:
        for folder in fresh:
            shutil.rmtree(folder, ignore_errors=True)
        # With its snapshots: a plain folder would be read as a whole first, to be adopted.
        shutil.copytree(world.path("data/processed/parquet"), fresh[0], symlinks=True, copy_function=link)
        shutil.copytree(world.path("compared/new", new), fresh[1] / "train")

    return [
        Contender("recflow, all months touched", own, result=merged, prepare=lambda: prepare("all")),
        Contender("recflow, one month touched", own, result=merged, prepare=lambda: prepare("month")),
        Contender(
            "Polars, all months touched",
            peer("merge_polars.py", base=fresh[0] / "train", new=fresh[1] / "train", output=world.path("compared/polars")),
            prepare=lambda: prepare("all"),
            fresh=[world.path("compared/polars")],
        ),
    ]


def link(source: str, target: str) -> str:
    """A second name: the files of a snapshot are never changed."""
    os.link(os.path.realpath(source), target)
    return target


def merged(told: Told) -> str:
    """Rows now."""
    return f"{output(told)['train']['rows']} rows"
