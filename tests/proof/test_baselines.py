"""The baseline of biases.

Claim: on the splits u1 to u5 of MovieLens 100K the RMSE of `evaluate`'s baseline `biases` is the published one (0.960, 0.948, 0.941, 0.938,
0.942) to 0.005, and that of the same equations (Koren, "Factor in the Neighbors", TKDD 2010; damping 15 and 10, ten sweeps, items
first) in NumPy to 1e-9. `evaluate` judges baselines on the pairs that the model can score, published figures are over all pairs: both
are computed here.
"""

from pathlib import Path

import numpy as np
import pytest

from conftest import convert
from support import als
from support.figures import Figures
from support.recflow import Recflow

PUBLISHED = {1: 0.960, 2: 0.948, 3: 0.941, 4: 0.938, 5: 0.942}


def squared_errors(train: als.Ratings, test: als.Ratings) -> tuple[als.Floats, als.Bools]:
    """Fits mean, user and item biases to `train`. Squared errors on `test`, where a stranger has no bias, and whether user and
    item are known."""
    mean = train.stars.mean()
    users, items = np.zeros(len(train.users)), np.zeros(len(train.items))
    user_counts, item_counts = np.bincount(train.user), np.bincount(train.item)
    for _ in range(10):
        items = np.bincount(train.item, train.stars - mean - users[train.user]) / (10 + item_counts)
        users = np.bincount(train.user, train.stars - mean - items[train.item]) / (15 + user_counts)
    of_user = dict(zip(train.users, users, strict=True))
    of_item = dict(zip(train.items, items, strict=True))
    user_bias = np.array([of_user.get(user, 0.0) for user in test.users])[test.user]
    item_bias = np.array([of_item.get(item, 0.0) for item in test.items])[test.item]
    known = np.isin(test.users, train.users)[test.user] & np.isin(test.items, train.items)[test.item]
    return (test.stars - mean - user_bias - item_bias) ** 2, known


@pytest.mark.parametrize("fold", PUBLISHED)
def test_biases_reach_the_published_error(fold: int, shared: Path, recflow: Recflow, figures: Figures) -> None:
    """One of the five official splits."""
    convert(shared, recflow.workspace / "data", "ml-100k/u.data.gz", "--test", f"ml-100k/u{fold}.test.gz")
    recflow.stage("etl", train_file="data/train.txt", train_output="train", test_file="data/test.txt", test_output="test")
    model = recflow.stage("train_als", ratings="train", models="models", rank=1, max_iter=1)["path"]
    found = recflow.stage("evaluate", model=model, ratings="test", train="train")["baselines"]["biases"]["rmse"]
    train, test = (als.Ratings.read(recflow.workspace / name) for name in ("train", "test"))
    errors, known = squared_errors(train, test)
    everywhere = np.sqrt(errors.mean())
    assert found == pytest.approx(np.sqrt(errors[known].mean()), abs=1e-9)
    assert everywhere == pytest.approx(PUBLISHED[fold], abs=0.005)
    assert found == pytest.approx(PUBLISHED[fold], abs=0.005)
    figures.add(
        f"RMSE of biases on u{fold}",
        f"{found:.4f}",
        f"published: {PUBLISHED[fold]:.3f} (NumPy, all pairs: {everywhere:.4f})",
    )
