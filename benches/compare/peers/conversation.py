"""How a peer without a trigger of its own is driven: a warm process that runs the workload of each line it is sent, and tells the seconds."""

import json
import os
import sys
import time
from collections.abc import Callable


def converse(run: Callable[[dict], None]) -> None:
    """Answers each workload (JSON, a line) with `{"seconds": …}` or `{"error": …}`. What the peer prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    print(json.dumps({"ready": True}), file=answers)
    for line in sys.stdin:
        workload, began = json.loads(line), time.monotonic()
        try:
            run(workload)
            told: dict = {"seconds": time.monotonic() - began}
        except Exception as error:  # whatever it is, the other side reports it
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), file=answers)
