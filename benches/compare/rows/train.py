"""Explicit ALS, rank 64, λ 0.1 times the ratings of a row, 15 sweeps: seconds of the fit alone, and the RMSE on the test ratings."""

from bench.contest import Contender, Told
from bench.measure import peer
from bench.world import World, output

TITLE = "training, rank 64, 15 sweeps"


def contenders(world: World) -> list[Contender]:
    """All read the same Parquet files, and predict the same test ratings."""
    world.ensure_parquet()
    large = world.size != "1m"
    train, test = (world.path("data/processed/parquet", name) for name in ("train", "test"))
    own = world.stage("train_als", ratings="data/processed/parquet/train", validation="data/processed/parquet/test", models="compared/models")
    fresh = [world.path("compared/models")]

    def factorised(name: str, **settings: object) -> list[str]:
        return peer("train.py", peer=name, train=train, test=test, **settings)

    return [
        Contender("recflow, exact", own, seconds=fit_seconds, result=validation_rmse, fresh=fresh),
        Contender("cmfrec, Cholesky", factorised("cmfrec", use_cg=False), seconds=reported, once=large),
        Contender("cmfrec, conjugate gradients", factorised("cmfrec", use_cg=True), seconds=reported, once=large),
        Contender("LIBMF, SGD, 20 epochs, λ 0.05 (another objective)", factorised("libmf"), seconds=reported, once=large),
        Contender("Spark", factorised("spark"), seconds=reported, once=True),
    ]


def fit_seconds(told: Told) -> float:
    """What recflow says of itself; scoring the test ratings after each sweep is in it."""
    return output(told)["fit_seconds"]


def validation_rmse(told: Told) -> str:
    """RMSE on the test ratings."""
    return f"RMSE {output(told)['holdout_rmse']:.4f}"


def reported(told: Told) -> float:
    """What a peer's script measured around its fit."""
    return told["seconds"]
