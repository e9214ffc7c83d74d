"""Measures the CPU time of peers: one JSON request a line in, one answer a line out.

A request is {"model", "season", "horizon", "series": [[…], …], "rule"}; the answer {"cpuSeconds", "aicc": [… or null],
"processSeconds"}, the latter the CPU time of this process since it began. Fits and forecasts with the levels 80 and 95.
"""
import json
import logging
import os
import sys
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

LEVELS = [80, 95]


def fitted(request, values):
    import numpy as np

    if request["model"] == "Prophet":
        return prophet(values, request)
    from statsforecast import models

    name, season = request["model"], request["season"]
    if name.startswith("ARIMA"):
        order = tuple(request["order"])
        model = models.ARIMA(order=order, season_length=1, include_mean=False)
    else:
        model = getattr(models, name)(season_length=season)
    model.fit(np.asarray(values, float))
    model.predict(h=request["horizon"], level=LEVELS)
    inside = model.model_
    found = inside.get("aicc") if hasattr(inside, "get") else None
    return None if found is None else float(found)


def prophet(values, request):
    import pandas as pd
    from prophet import Prophet

    model = Prophet()
    horizon = request["horizon"]
    ds = pd.date_range(request["start"], periods=len(values) + horizon, freq=request["rule"])
    model.fit(pd.DataFrame({"ds": ds[: len(values)], "y": values}))
    model.predict(pd.DataFrame({"ds": ds[len(values):]}))
    return None


def spent_so_far():
    """CPU seconds of this process and of its children that ended: Prophet fits in one of its own."""
    return sum(os.times()[:4])


def main():
    for line in sys.stdin:
        request = json.loads(line)
        before = spent_so_far()
        aicc = [fitted(request, values) for values in request["series"]]
        spent = spent_so_far() - before
        answer = {"cpuSeconds": spent, "aicc": aicc, "processSeconds": spent_so_far()}
        print(json.dumps(answer), flush=True)


main()
