"""KServe's InferenceRESTClient, version 1 of the protocol."""

import asyncio
import json
import sys

import httpx
from kserve import InferenceRESTClient, RESTConfig

given = json.load(sys.stdin)


async def ask():
    client = InferenceRESTClient(RESTConfig(protocol="v1", retries=0))
    url = given["url"]
    live, ready = await client.is_server_live(url), await client.is_model_ready(url, "iris")
    told = await client.infer(url, {"instances": given["rows"]}, model_name="iris")
    try:
        await client.infer(url, {"instances": [[1]]}, model_name="iris")
    except httpx.HTTPStatusError as error:
        wrong = str(error)
    return {
        "ready": [live, ready],
        "labels": told["predictions"],
        "ids": told["ids"],
        "wrong": wrong,
    }


print(json.dumps(asyncio.run(ask())))
