"""The model as a custom runtime of MLServer; its settings files are written beside it."""
import os

from arima_model import ArimaModel
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class ArimaRuntime(MLModel):
    async def load(self):
        self.model = ArimaModel(os.environ["ARIMA_MODEL"])
        return True

    async def predict(self, payload: InferenceRequest):
        given = {each.name: each.data[0] for each in payload.inputs}
        answer = self.model.answer(int(given["horizon"]), given.get("level"))
        columns = {"data": answer["data"]}
        for interval in answer.get("intervals", []):
            columns["lower"] = interval["lower"]
            columns["upper"] = interval["upper"]
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[
                ResponseOutput(name=name, shape=[len(values)], datatype="FP64", data=values)
                for name, values in columns.items()
            ],
        )
