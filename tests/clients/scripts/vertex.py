"""google-cloud-aiplatform's client of predictions, over REST."""

import json
import sys

import google.auth.credentials
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceClient
from google.cloud.aiplatform_v1.services.prediction_service.transports.rest import (
    PredictionServiceRestTransport,
)

given = json.load(sys.stdin)
transport = PredictionServiceRestTransport(
    host=given["url"].removeprefix("http://"),
    url_scheme="http",
    credentials=google.auth.credentials.AnonymousCredentials(),
)
client = PredictionServiceClient(transport=transport)
endpoint = "projects/p/locations/europe-west6/endpoints/iris"
answer = client.predict(endpoint=endpoint, instances=given["rows"])
told = {
    "labels": list(answer.predictions),
    "ids": list(answer.metadata["ids"]),
    "model": [answer.model, answer.model_display_name, answer.model_version_id],
}
try:
    client.predict(endpoint=endpoint, instances=[[1]])
except GoogleAPICallError as error:
    told["wrong"] = [type(error).__name__, error.message]
print(json.dumps(told))
