"""The model as a BentoML service; its workers are told by the environment."""
import os

import bentoml

from arima_model import ArimaModel


@bentoml.service(
    workers=int(os.environ.get("ARIMA_WORKERS", "1")),
    traffic={"timeout": 60, "max_concurrency": 64},
)
class Arima:
    def __init__(self):
        self.model = ArimaModel(os.environ["ARIMA_MODEL"])

    @bentoml.api
    def forecast(self, horizon: int = 500, level: float | None = None) -> dict:
        return self.model.answer(horizon, level)
