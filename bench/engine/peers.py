"""Forecasts of the peers on the splits of a file: one JSON object a line in, one a line out.

usage: peers.py SPLITS RESULTS MODEL[,MODEL…] [PART/PARTS]

A split is {"id", "season", "seasons", "dates": {"start", "rule"}, "horizon", "train"}. A result is {"id", "model",
"status", "point", "lower", "upper", "cpuSeconds"}, bounds by level in percent. Results that the file has already
are kept, so that a run that was broken off goes on where it stopped.
"""
import json
import logging
import os
import signal
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import numpy as np  # noqa: E402

LEVELS = [50, 80, 90, 95]
SECONDS_MAX = 60
PROPHET_SAMPLES = 1000


class TooSlow(Exception):
    pass


def on_alarm(*_):
    raise TooSlow()


def statsforecast_model(name, split):
    from statsforecast import models

    season = split["season"]
    if name == "SeasonalNaive":
        return models.SeasonalNaive(season) if season > 1 else models.Naive()
    if name == "MSTL_ETS":
        return models.MSTL(split["seasons"], trend_forecaster=models.AutoETS(model="ZZN"))
    # R and statsforecast advise against ETS with a season of more than 24.
    if name == "AutoETS" and season > 24:
        season = 1
    return getattr(models, name)(season_length=season)


def by_statsforecast(name, split):
    train = np.asarray(split["train"], float)
    model = statsforecast_model(name, split)
    model.fit(train)
    made = model.predict(h=split["horizon"], level=LEVELS)
    listed = lambda values: [float(v) for v in values]  # noqa: E731
    return {
        "point": listed(made["mean"]),
        "lower": {level: listed(made[f"lo-{level}"]) for level in LEVELS},
        "upper": {level: listed(made[f"hi-{level}"]) for level in LEVELS},
    }


def by_prophet(split):
    import pandas as pd
    from prophet import Prophet

    dates = split["dates"]
    train, horizon = split["train"], split["horizon"]
    ds = pd.date_range(dates["start"], periods=len(train) + horizon, freq=dates["rule"])
    np.random.seed(0)
    model = Prophet(uncertainty_samples=PROPHET_SAMPLES)
    model.fit(pd.DataFrame({"ds": ds[: len(train)], "y": train}))
    future = pd.DataFrame({"ds": ds[len(train):]})
    point = model.predict(future)["yhat"].tolist()
    samples = model.predictive_samples(future)["yhat"]
    bound = lambda p: np.quantile(samples, p, axis=1).tolist()  # noqa: E731
    return {
        "point": point,
        "lower": {level: bound((100 - level) / 200) for level in LEVELS},
        "upper": {level: bound((100 + level) / 200) for level in LEVELS},
    }


def result_of(name, split):
    result = {"id": split["id"], "model": name}
    signal.setitimer(signal.ITIMER_PROF, SECONDS_MAX)
    before = os.times()
    try:
        made = by_prophet(split) if name == "Prophet" else by_statsforecast(name, split)
        result.update(status="ok", **made)
    except TooSlow:
        result.update(status=f"stopped after {SECONDS_MAX} CPU s")
    except Exception as error:
        result.update(status=f"failed: {error!r}"[:200])
    signal.setitimer(signal.ITIMER_PROF, 0)
    result["cpuSeconds"] = sum(os.times()[:4]) - sum(before[:4])
    return result


def main():
    splits_file, results_file, names = sys.argv[1:4]
    part, parts = (int(n) for n in (sys.argv[4] if len(sys.argv) > 4 else "0/1").split("/"))
    signal.signal(signal.SIGPROF, on_alarm)
    done = set()
    if os.path.exists(results_file):
        with open(results_file) as lines:
            for line in lines:
                known = json.loads(line)
                done.add((known["id"], known["model"]))
    with open(splits_file) as lines:
        splits = [json.loads(line) for line in lines][part::parts]
    started = time.time()
    with open(results_file, "a") as out:
        for name in names.split(","):
            for split in splits:
                if (split["id"], name) in done:
                    continue
                out.write(json.dumps(result_of(name, split)) + "\n")
                out.flush()
            print(f"{name}: {time.time() - started:.0f} s", flush=True)


main()
