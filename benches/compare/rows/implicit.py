"""Implicit ALS (Hu, Koren, Volinsky 2008), rank 64, 15 sweeps, α 1: seconds of the fit alone, and the loss reached."""

from bench.contest import Contender, Told
from bench.measure import peer
from bench.world import World, output
from rows.train import fit_seconds, reported

TITLE = "implicit training, rank 64, 15 sweeps"


def contenders(world: World) -> list[Contender]:
    """The same matrix of confidences, `1 + rating`, for all; plain regularisation 0.1, which is what implicit minimises."""
    world.ensure_parquet()
    train, large = world.path("data/processed/parquet/train"), world.size != "1m"
    own = world.stage(
        "train_als",
        ratings="data/processed/parquet/train",
        models="compared/models",
        implicit=True,
        reg_scaling="plain",
    )
    return [
        Contender("recflow, exact", own, seconds=fit_seconds, result=loss, fresh=[world.path("compared/models")]),
        Contender("implicit, conjugate gradients", peer("implicit_als.py", train=train, use_cg=True), seconds=reported, once=large),
        Contender("implicit, Cholesky", peer("implicit_als.py", train=train, use_cg=False), seconds=reported, once=True),
    ]


def loss(told: Told) -> str:
    """The objective at the end."""
    return f"loss {output(told)['loss']:.4g}"
