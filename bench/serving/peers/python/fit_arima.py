"""Fits ARIMA(7,0,1) to the 365-lag difference of a series and pickles what the servers load."""
import json
import pickle
import sys

import numpy as np
from statsmodels.tsa.arima.model import ARIMA

LAG = 365

series_file, model_file = sys.argv[1:]
with open(series_file) as file:
    y = np.array(json.load(file)["data"], dtype=float)
fitted = ARIMA(y[LAG:] - y[:-LAG], order=(7, 0, 1)).fit()
with open(model_file, "wb") as file:
    pickle.dump({"fitted": fitted, "last": y[-LAG:]}, file)
