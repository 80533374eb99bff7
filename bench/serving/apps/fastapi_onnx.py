"""The same for speed: FastAPI around onnxruntime, answered on the loop."""

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"] + ".onnx", options)


class Body(BaseModel):
    rows: list[list[float]]


@app.post("/predict")
async def predict(body: Body):
    [shares] = session.run(["probabilities"], {"rows": np.array(body.rows, np.float32)})
    return {"probabilities": shares.tolist()}
