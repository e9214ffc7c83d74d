"""The model that every peer serves: the same file, the same work, whatever server is around it."""
import pickle

import numpy as np


class ArimaModel:
    def __init__(self, path):
        with open(path, "rb") as file:
            stored = pickle.load(file)
        self.fitted = stored["fitted"]
        self.last = stored["last"]

    def answer(self, horizon, level=None):
        """The forecast, and the bounds of one interval when a level in percent is given."""
        if level is None:
            return {"data": self.undifferenced(self.fitted.forecast(horizon)).tolist()}
        ahead = self.fitted.get_forecast(horizon)
        point = self.undifferenced(ahead.predicted_mean)
        distance = ahead.conf_int(alpha=1 - level / 100) - ahead.predicted_mean[:, None]
        return {
            "data": point.tolist(),
            "intervals": [
                {
                    "level": level,
                    "lower": (point + distance[:, 0]).tolist(),
                    "upper": (point + distance[:, 1]).tolist(),
                }
            ],
        }

    def undifferenced(self, differences):
        values = np.concatenate([self.last, differences])
        lag = len(self.last)
        for at in range(lag, len(values), lag):
            values[at : at + lag] += values[at - lag : at][: len(values) - at]
        return values[lag:]
