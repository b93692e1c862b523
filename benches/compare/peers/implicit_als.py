"""Implicit ALS by implicit: seconds of the fit, and the objective of Hu, Koren, Volinsky 2008 over every cell."""

import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as implicit asks for: it makes threads of its own

import numpy as np
import ratings
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from told import ARGUMENTS, tell

train, _, users, items = ratings.read(ARGUMENTS["train"])
# The entries are the confidence: 1 + rating.
matrix = csr_matrix((1 + train.rating, (train.user, train.item)), shape=(users, items))
model = AlternatingLeastSquares(factors=64, regularization=0.1, iterations=15, use_cg=ARGUMENTS["use_cg"], calculate_training_loss=False, random_state=42)
started, cpu = time.monotonic(), time.process_time()
model.fit(matrix, show_progress=False)
seconds, cpu = time.monotonic() - started, time.process_time() - cpu
x, y = (np.asarray(factors, dtype=np.float64) for factors in (model.user_factors, model.item_factors))
loss = np.trace((x.T @ x) @ (y.T @ y)) + 0.1 * ((x**2).sum() + (y**2).sum())
for at in range(0, len(train.user), 1 << 18):
    part = slice(at, at + (1 << 18))
    predicted = np.einsum("nk,nk->n", x[train.user[part]], y[train.item[part]])
    loss += ((1 + train.rating[part]) * (1 - predicted) ** 2 - predicted**2).sum()
tell(seconds=seconds, cpu_seconds=cpu, result=f"loss {loss:.4g}")
