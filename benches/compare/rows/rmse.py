"""Seconds until the test RMSE that Spark's ALS ends with: rank 64, λ 0.1 times the ratings of a row, 15 sweeps, no biases.

Who needs fewer sweeps, or another solver, may have them. How many each needs was found by trying; the table says what each reached, `recflow, exact` being the
same objective, start and order as Spark's.
"""

from bench.contest import Contender
from bench.measure import peer
from bench.world import World
from rows.train import fit_seconds, reported, validation_rmse

TITLE = "training to the RMSE of 15 exact sweeps"


def contenders(world: World) -> list[Contender]:
    """The same Parquet files and test ratings for all."""
    world.ensure_parquet()
    train, test = (world.path("data/processed/parquet", name) for name in ("train", "test"))
    fresh = [world.path("compared/models")]

    def own(name: str, **inputs: object) -> Contender:
        paths = {"ratings": "data/processed/parquet/train", "validation": "data/processed/parquet/test", "models": "compared/models"}
        return Contender(f"recflow, {name}", world.stage("train_als", **paths, **inputs), seconds=fit_seconds, result=validation_rmse, fresh=fresh)

    def cmfrec(name: str, **settings: object) -> Contender:
        return Contender(f"cmfrec, {name}", peer("train.py", peer="cmfrec", train=train, test=test, **settings), seconds=reported, once=world.size != "1m")

    return [
        own("`auto` with biases, 3 sweeps", solver="auto", biases=True, max_iter=3),
        own("`auto` with momentum, 12 sweeps", solver="auto", momentum=True, max_iter=12),
        own("exact, 15 sweeps"),
        cmfrec("conjugate gradients with biases, 5 sweeps", use_cg=True, biases=True, sweeps=5),
        cmfrec("conjugate gradients, 15 sweeps", use_cg=True),
    ]
