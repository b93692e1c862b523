"""A recommender as one writes it in Python: factors in NumPy, a dot product and `argpartition` a request, behind FastAPI.

`serve_numpy.py VERSION` prints its address once it listens.
"""

import socket
import sys

import numpy as np
import uvicorn
from factors import side
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

user_ids, user_factors = side(sys.argv[1], "userFactors")
item_ids, item_factors = side(sys.argv[1], "itemFactors")
rows = {int(user): row for row, user in enumerate(user_ids)}
popular = [{"item": int(item), "score": 0.0} for item in item_ids[:10]]
app = FastAPI()


class Wanted(BaseModel):
    user_id: int
    k: int = 10


@app.post("/recommend")
async def recommend(wanted: Wanted) -> dict:
    if not 0 < wanted.k <= len(item_ids):
        raise HTTPException(400)
    row = rows.get(wanted.user_id)
    if row is None:
        return {"user_id": wanted.user_id, "items": popular}
    scores = np.dot(item_factors, user_factors[row])
    best = np.argpartition(scores, -wanted.k)[-wanted.k :]
    best = best[np.argsort(-scores[best])]
    return {"user_id": wanted.user_id, "items": [{"item": int(item_ids[at]), "score": float(scores[at])} for at in best]}


listener = socket.create_server(("127.0.0.1", 0))
# asyncio sets it on sockets that it opens itself; without it each answer waits for a delayed acknowledgement.
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[listener])
