"""Quality of implicit models.

Claim: `train_als` with `implicit: true` and `reg_scaling: plain` minimises the objective of Hu, Koren, Volinsky 2008 as well as the
library implicit does (exact Cholesky solver, same rank, λ, sweeps, α; it is fed confidences `1 + α · stars`). Data: split u1 of
MovieLens 100K. Three statements, the objective being computed in NumPy for both:

- recflow's user factors are implicit's solution for recflow's item factors, to 1e-4: so the objective is the same;
- from a start of the same kind and with the sides in the same order, the losses differ by at most 1 %;
- from its own start (small positive numbers, users first) implicit ends no lower than 1 % below. It ends higher: a start in which all
  rows point the same way takes more sweeps, and Spark's and recflow's has random directions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
import scipy.sparse as sp
import threadpoolctl
from implicit.cpu.als import AlternatingLeastSquares

from support import als
from support.figures import Figures
from support.recflow import Recflow

SWEEPS = 15


@dataclass(frozen=True)
class Case:
    """What is trained on u1."""

    rank: int
    reg: float
    alpha: float
    ratings: als.Ratings

    @cached_property
    def confidences(self) -> sp.csr_matrix:
        """Users by items, as implicit takes them."""
        cells = (1 + self.alpha * self.ratings.stars, (self.ratings.user, self.ratings.item))
        return sp.csr_matrix(cells, shape=(len(self.ratings.users), len(self.ratings.items)))

    def solver(self, seed: int) -> AlternatingLeastSquares:
        """implicit, not yet trained."""
        options = {"factors": self.rank, "regularization": self.reg, "alpha": 1.0, "iterations": SWEEPS}
        return AlternatingLeastSquares(**options, use_cg=False, dtype=np.float64, random_state=seed, num_threads=2)

    def loss(self, user_factors: als.Floats, item_factors: als.Floats) -> float:
        """The objective of any factors."""
        model = als.Model(self.ratings.users, self.ratings.items, user_factors, item_factors)
        return als.implicit_loss(model, self.ratings, self.reg, self.alpha)


@pytest.fixture(autouse=True)
def one_blas_thread() -> Iterator[None]:
    """implicit has threads of its own; those of BLAS would get into their way."""
    with threadpoolctl.threadpool_limits(1, "blas"):
        yield


@pytest.fixture(params=[(16, 0.1, 1.0), (32, 1.0, 10.0)], ids=["rank 16", "rank 32"])
def case(request: pytest.FixtureRequest, u1: Recflow) -> Case:
    """Two settings, one with little confidence in a rating and one with much."""
    return Case(*request.param, als.Ratings.read(u1.workspace / "train"))


def ours(case: Case, u1: Recflow, seed: int) -> tuple[als.Model, float]:
    """recflow's factors, and the loss it reports."""
    inputs = {"rank": case.rank, "reg": case.reg, "alpha": case.alpha, "max_iter": SWEEPS, "seed": seed}
    trained = u1.stage("train_als", ratings="train", models="implicit", implicit=True, reg_scaling="plain", **inputs)
    return als.Model.read(u1.workspace / trained["path"]), trained["loss"]


def unit_rows(rows: int, rank: int, seed: int) -> als.Floats:
    """Random directions, as Spark and recflow start from."""
    normal = np.random.default_rng(seed).normal(size=(rows, rank))
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def test_the_objective_is_the_one_that_implicit_solves(case: Case, u1: Recflow, figures: Figures) -> None:
    """recflow's last half-step, done again by implicit."""
    model, loss = ours(case, u1, seed=1)
    assert loss == pytest.approx(case.loss(model.user_factors, model.item_factors), rel=1e-6)
    solver = case.solver(seed=1)
    solver.item_factors = model.item_factors
    solved = solver.recalculate_user(np.arange(len(model.users)), case.confidences)
    difference = np.abs(solved - model.user_factors).max() / np.abs(solved).max()
    assert difference < 1e-4
    figures.add(f"implicit, rank {case.rank}: users solved again, largest difference", f"{difference:.1e}", "implicit: 1e-4")


def test_the_losses_agree_from_the_same_kind_of_start(case: Case, u1: Recflow, figures: Figures) -> None:
    """Items first, from random directions: the sides of implicit are exchanged."""
    _, loss = ours(case, u1, seed=1)
    solver = case.solver(seed=1)
    solver.item_factors = unit_rows(len(case.ratings.users), case.rank, seed=1)
    solver.fit(case.confidences.T.tocsr(), show_progress=False)
    theirs = case.loss(solver.item_factors, solver.user_factors)
    assert loss == pytest.approx(theirs, rel=0.01)
    figures.add(
        f"implicit loss, rank {case.rank}, same start",
        f"{loss:,.0f}",
        f"implicit: {theirs:,.0f} ({loss / theirs - 1:+.2%})",
    )


def test_the_loss_is_no_higher_than_implicits_own(case: Case, u1: Recflow, figures: Figures) -> None:
    """Each from its own start, means over three seeds."""
    loss = np.mean([ours(case, u1, seed)[1] for seed in (1, 2, 3)])
    theirs = []
    for seed in (1, 2, 3):
        solver = case.solver(seed)
        solver.fit(case.confidences, show_progress=False)
        theirs.append(case.loss(solver.user_factors, solver.item_factors))
    assert loss <= 1.01 * np.mean(theirs)
    difference = loss / np.mean(theirs) - 1
    figures.add(
        f"implicit loss, rank {case.rank}, own start",
        f"{loss:,.0f}",
        f"implicit: {np.mean(theirs):,.0f} ({difference:+.2%})",
    )
