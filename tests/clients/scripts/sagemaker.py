"""boto3's client of SageMaker's runtime."""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

given = json.load(sys.stdin)
client = boto3.client(
    "sagemaker-runtime",
    endpoint_url=given["url"],
    region_name="eu-central-1",
    aws_access_key_id="none",
    aws_secret_access_key="none",
    config=Config(retries={"total_max_attempts": 1}),
)


def ask(body, content_type, **more):
    return client.invoke_endpoint(EndpointName="iris", Body=body, ContentType=content_type, **more)


lines = "\n".join(",".join(map(str, row)) for row in given["rows"])
csv = json.load(ask(lines, "text/csv")["Body"])
answer = ask(json.dumps({"instances": given["rows"]}), "application/json", TargetVariant="champion")
body = json.load(answer["Body"])
first = lines.splitlines()[0]
ask(first, "text/csv", InferenceId=given["key"], Accept="text/csv")
told = {
    "csv": {"labels": csv["predictions"], "ids": csv["ids"]},
    "json": {"labels": body["predictions"], "ids": body["ids"]},
    "variant": answer["InvokedProductionVariant"],
}
try:
    ask("1,2", "text/csv")
except ClientError as error:
    told["wrong"] = [error.response["Error"]["Code"], error.response["Error"]["Message"]]
print(json.dumps(told))
