"""Claim: the distances that `detect_drift` reports are those of scipy and numpy, to 1e-9.

Both sides read the same Parquet files. The data: random and awkward ratings (an empty class, one value, ties, a handful of rows, a scale
of tenths). The model: its predictions on both test sets, recomputed from the factors on disk in the same order of operations.

Options: natural logarithms; `ks_2samp(method="asymp")`; `chi2_contingency(correction=False)` without classes that neither side
has; add-½ smoothing for KL and PSI, 1e-10 for the KL that is reported beside it; medians exact.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.distance import jensenshannon

Floats = NDArray[np.float64]
Inputs = dict[str, Any]

TOLERANCE = 1e-9
USERS, ITEMS = 40, 30
STARS = np.arange(1.0, 6.0)
HALVES = np.arange(1, 11) / 2.0
TENTHS = np.arange(5, 51) / 10.0


def repeated(values: Floats, counts: list[int]) -> Floats:
    """Ratings with these counts."""
    return np.repeat(values[: len(counts)], counts)


def drawn(values: Floats, rows: int, seed: int) -> Floats:
    """Ratings with random shares, some of which are 0."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(len(values))) * (rng.random(len(values)) < 0.8)
    shares[seed % len(values)] += 0.1
    return rng.choice(values, rows, p=shares / shares.sum())


CASES: dict[str, tuple[Floats, Floats]] = {
    "an empty class in the stream": (repeated(STARS, [40, 90, 200, 300, 210]), repeated(STARS, [7, 0, 20, 11, 3])),
    "an empty class in the original": (repeated(STARS, [40, 90, 0, 300, 210]), repeated(STARS, [7, 2, 20, 11, 3])),
    "a class that neither has": (repeated(STARS, [40, 90, 0, 300, 210]), repeated(STARS, [7, 2, 0, 11, 3])),
    "one value on both sides": (repeated(STARS, [0, 0, 50]), repeated(STARS, [0, 0, 20])),
    "one value on each side": (repeated(STARS, [0, 0, 50]), repeated(STARS, [0, 0, 0, 20])),
    "a handful": (np.array([1.0, 4.0, 5.0]), np.array([4.0, 2.0])),
    "an even count with two middles": (np.array([1.0, 2.0, 4.0, 5.0]), np.array([1.0, 5.0])),
    "no difference": (repeated(STARS, [40, 90, 200, 300, 210]), repeated(STARS, [4, 9, 20, 30, 21])),
    "many": (drawn(HALVES, 300_000, 1), drawn(HALVES, 250_000, 1)),
}
for seed in range(20):
    scale = [STARS, HALVES, TENTHS][seed % 3]
    CASES[f"random {seed}"] = (drawn(scale, 50 + 337 * seed, seed), drawn(scale, 20 + 101 * seed, seed + 100))


def write(folder: Path, ratings: Floats, seed: int) -> pa.Table:
    """Writes a plain folder of ratings of random pairs, as another engine would."""
    rng = np.random.default_rng(seed)
    rows = len(ratings)
    table = pa.table(
        {
            "MOVIE_ID": pa.array(rng.integers(1, ITEMS + 1, rows), pa.int32()),
            "CUST_ID": pa.array(rng.integers(1, USERS + 1, rows), pa.int32()),
            "RATING": pa.array(ratings, pa.float32()),
            "DATE": pa.array(np.full(rows, 12_800), pa.int32()).cast(pa.date32()),
        }
    )
    month = folder / "year=2005" / "month=1"
    month.mkdir(parents=True)
    pq.write_table(table, month / "part-0.parquet")
    return table


def detect(recflow: Any, train: tuple[Floats, Floats], test: tuple[Floats, Floats]) -> tuple[Inputs, Floats, Floats]:
    """Runs `detect_drift`; its output, and the predictions on both test sets."""
    workspace = recflow.workspace
    write(workspace / "train", train[0], 1)
    write(workspace / "stream" / "train", train[1], 2)
    tests = [write(workspace / name, ratings, 3) for name, ratings in zip(["test", "stream/test"], test, strict=True)]
    # Trained on ratings of its own, so that it knows every pair and has something to say.
    write(workspace / "learned", drawn(HALVES, 2000, 4), 5)
    model = recflow.stage("train_als", ratings="learned", models="models", rank=3, max_iter=3)["path"]
    output = recflow.stage(
        "detect_drift",
        model=model,
        original_train="train",
        original_test="test",
        current_train="stream/train",
        current_test="stream/test",
        resamples=100,
    )
    before, after = (predictions(workspace / model, table) for table in tests)
    return output, before, after


def predictions(model: Path, table: pa.Table) -> Floats:
    """The dot products of the factors, in single precision and in order, as recflow takes them."""
    users, items = (factors(model / side) for side in ("userFactors", "itemFactors"))
    users = users[table["CUST_ID"].to_numpy()]
    items = items[table["MOVIE_ID"].to_numpy()]
    total = np.zeros(len(table), np.float32)
    for user, item in zip(users.T, items.T, strict=True):
        total = total + user * item
    return total.astype(np.float64)


def factors(folder: Path) -> NDArray[np.float32]:
    """Row i is the vector of id i."""
    table = pq.read_table(folder)
    ids = table["id"].to_numpy()
    rows = np.array(table["features"].to_pylist(), np.float32)
    all_rows = np.full((ids.max() + 1, rows.shape[1]), np.nan, np.float32)
    all_rows[ids] = rows
    return all_rows


def rounded(values: Floats, ratings: Floats) -> Floats:
    """The nearest step of the scale, half-way up: whole stars, half stars, or the ratings themselves."""
    step = next((step for step in (1.0, 0.5) if np.all(ratings % step == 0)), None)
    scale = np.unique(ratings) if step is None else np.arange(ratings.min(), ratings.max() + step / 2, step)
    distance = np.abs(values[:, None] - scale[None, :])
    # Of two that are as near, the higher: the last one of the least distance.
    return scale[len(scale) - 1 - np.argmin(distance[:, ::-1], axis=1)]


def expected(before: Floats, after: Floats, classes: tuple[Floats, Floats]) -> dict[str, float]:
    """All distances by scipy and numpy, under the names of the output."""
    values = np.unique(np.concatenate(classes))
    counts = [np.array([(side == value).sum() for value in values]) for side in classes]
    smooth = [(count + 0.5) / (count.sum() + len(values) / 2) for count in counts]
    raw = [count / count.sum() for count in counts]
    ks = stats.ks_2samp(before, after, method="asymp")
    chi = stats.chi2_contingency(np.array(counts), correction=False)
    return {
        "kl_divergence": stats.entropy(*smooth),
        "kl_divergence_epsilon": stats.entropy(raw[0] + 1e-10, raw[1] + 1e-10),
        "psi": float(((smooth[0] - smooth[1]) * np.log(smooth[0] / smooth[1])).sum()),
        "jensen_shannon": jensenshannon(*raw),
        "kolmogorov_smirnov.statistic": ks.statistic,
        "kolmogorov_smirnov.p_value": ks.pvalue,
        "chi_square.statistic": chi.statistic,
        "chi_square.degrees_of_freedom": chi.dof,
        "chi_square.p_value": chi.pvalue,
        "wasserstein": stats.wasserstein_distance(before, after),
        "mean_original": before.mean(),
        "mean_current": after.mean(),
        "mean_shift": after.mean() - before.mean(),
        "median_original": float(np.median(before)),
        "median_current": float(np.median(after)),
        "median_shift": float(np.median(after) - np.median(before)),
    }


def assert_same(found: Inputs, wanted: dict[str, float]) -> None:
    """Compares every figure; relative to those above 1."""
    for name, value in wanted.items():
        figure: Any = found
        for key in name.split("."):
            figure = figure[key]
        assert abs(figure - value) <= TOLERANCE * max(1.0, abs(value)), f"{name}: recflow {figure!r}, scipy {value!r}"


@pytest.mark.parametrize("case", CASES)
def test_distances_are_scipy_s(recflow: Any, case: str) -> None:
    """Of the ratings, and of the predictions."""
    # As single precision, which is what the files hold.
    original, current = (side.astype(np.float32).astype(np.float64) for side in CASES[case])
    output, before, after = detect(recflow, (original, current), (original, current))
    assert_same(output["data_drift"], expected(original, current, (original, current)))
    scale = np.concatenate([original, current])
    classes = (rounded(before, scale), rounded(after, scale))
    assert_same(output["model_drift"], expected(before, after, classes))
    for side, found, ratings in (("original", before, original), ("current", after, current)):
        errors = output["model_drift"][side]
        assert abs(errors["rmse"] - np.sqrt(np.mean((found - ratings) ** 2))) <= TOLERANCE
        assert abs(errors["mae"] - np.mean(np.abs(found - ratings))) <= TOLERANCE


def test_shares_of_strangers_are_counted(recflow: Any) -> None:
    """Users and items that only the stream has, and how far the items' shares of ratings lie apart."""
    original, current = repeated(STARS, [40, 90, 200, 300, 210]), repeated(STARS, [7, 2, 20, 11, 3])
    data = detect(recflow, (original, current), (original, current))[0]["data_drift"]
    tables = [pq.read_table(recflow.workspace / name, partitioning=None) for name in ("train", "stream/train")]
    for column, field in (("CUST_ID", "unseen_users"), ("MOVIE_ID", "unseen_items")):
        known, arrived = (table[column].to_numpy() for table in tables)
        new = np.setdiff1d(arrived, known)
        assert data[field]["count"] == len(new)
        assert data[field]["share"] == pytest.approx(len(new) / len(np.unique(arrived)))
        assert data[field]["share_of_ratings"] == pytest.approx(np.isin(arrived, new).mean())
    shares = [np.bincount(table["MOVIE_ID"].to_numpy(), minlength=ITEMS + 1) for table in tables]
    assert data["item_popularity"]["jensen_shannon"] == pytest.approx(jensenshannon(*shares), abs=TOLERANCE)
