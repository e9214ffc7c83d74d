"""Ray Serve with two replicas: ray_server.py MODEL PORT FOLDER; SIGUSR1 deploys a new version."""
import os
import signal
import sys
import time

import ray
from ray import serve
from starlette.requests import Request

from arima_model import ArimaModel

model_file, port, folder = sys.argv[1:]


@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0.2}, max_ongoing_requests=16)
class Arima:
    def __init__(self, version):
        self.model = ArimaModel(model_file)
        self.version = version

    def __call__(self, request: Request):
        level = request.query_params.get("level")
        horizon = int(request.path_params.get("horizon") or request.url.path.rsplit("/", 1)[-1])
        answer = self.model.answer(horizon, None if level is None else float(level))
        return {**answer, "version": self.version}


ray.init(
    include_dashboard=False,
    num_cpus=2,
    object_store_memory=200 * 1024 * 1024,
    _temp_dir=folder,
    log_to_driver=False,
    runtime_env={"env_vars": {"PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}},
)
serve.start(http_options={"host": "127.0.0.1", "port": int(port)})
version = 1
serve.run(Arima.bind(version), name="arima", route_prefix="/")

wanted = []
signal.signal(signal.SIGUSR1, lambda *_: wanted.append(1))
ending = []
signal.signal(signal.SIGTERM, lambda *_: ending.append(1))
while not ending:
    time.sleep(0.02)
    if wanted:
        wanted.clear()
        version += 1
        serve.run(Arima.bind(version), name="arima", route_prefix="/")
serve.shutdown()
ray.shutdown()
