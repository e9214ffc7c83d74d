"""Flask's own threaded server, as a small service is often run: flask_server.py MODEL PORT"""
import sys

from flask import Flask, request

from arima_model import ArimaModel

app = Flask(__name__)
model = ArimaModel(sys.argv[1])


@app.get("/forecast/<int:horizon>")
def forecast(horizon):
    return model.answer(horizon, request.args.get("level", type=float))


app.run(host="127.0.0.1", port=int(sys.argv[2]), threaded=True)
