"""LitServe around a scikit-learn estimator, as its documentation has it."""

import os
import sys

import joblib
import litserve
import numpy as np


class Served(litserve.LitAPI):
    def setup(self, device):
        self.model = joblib.load(os.environ["MODEL"] + ".joblib")

    def decode_request(self, request):
        return np.array(request["rows"])

    def predict(self, rows):
        return self.model.predict_proba(rows)

    def encode_response(self, shares):
        return {"probabilities": shares.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Served(), accelerator="cpu", workers_per_device=1)
    server.run(
        port=int(sys.argv[1]), host="127.0.0.1", generate_client_file=False, log_level="error"
    )
