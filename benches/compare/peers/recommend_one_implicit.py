"""implicit's `recommend` for one user after the other: `recommend_one_implicit.py VERSION SECONDS` prints milliseconds a call."""

import json
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as implicit asks for: it makes threads of its own

import numpy as np
from factors import side
from implicit.cpu.als import AlternatingLeastSquares

_, x = side(sys.argv[1], "userFactors")
_, y = side(sys.argv[1], "itemFactors")
model = AlternatingLeastSquares(factors=x.shape[1])
model.user_factors, model.item_factors = x, y
started, cpu, taken, user = time.monotonic(), time.process_time(), [], 0
while time.monotonic() - started < float(sys.argv[2]):
    asked = time.perf_counter()
    model.recommend(user, None, N=10, filter_already_liked_items=False)
    taken.append(1e3 * (time.perf_counter() - asked))
    user = (user + 7919) % len(x)
cpu = 1e3 * (time.process_time() - cpu) / len(taken)
p50, p99 = np.quantile(taken, [0.5, 0.99])
print(json.dumps({"rate": len(taken) / (time.monotonic() - started), "p50": p50, "p99": p99, "cpu": cpu}))
