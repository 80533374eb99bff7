"""KServe's InferenceRESTClient, version 2 of the protocol."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

given = json.load(sys.stdin)


async def ask():
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    url = given["url"]
    live, ready = await client.is_server_live(url), await client.is_server_ready(url)
    model_ready = await client.is_model_ready(url, "iris")
    told = {"ready": [live, ready, model_ready]}
    for form, is_binary in (("json", False), ("binary", True)):
        table = InferInput("table", [len(given["rows"]), len(given["names"])], "FP64")
        table.set_data_from_numpy(np.array(given["rows"]), binary_data=is_binary)
        result = await client.infer(url, InferRequest("iris", [table]), model_name="iris")
        labels, shares = result.outputs
        told[form] = {
            "labels": labels.as_numpy().ravel().tolist(),
            "shares": shares.as_numpy().tolist(),
            "ids": result.parameters["prediction_ids"].split(","),
        }
    return told


print(json.dumps(asyncio.run(ask())))
