#!/usr/bin/env python3
# The functions of stack.yaml. What a record, an object's key or a path says is done.
import json, os, time, urllib.request

runtime = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"


def post(path, answer):
    urllib.request.urlopen(runtime + path, json.dumps(answer).encode())


def records(event):
    ids = [record["dynamodb"]["NewImage"]["id"]["S"] for record in event["Records"]]
    print(json.dumps(ids), flush=True)
    for image in (record["dynamodb"]["NewImage"] for record in event["Records"]):
        while "folder" in image and not os.path.exists(image["folder"]["S"] + "/go"):
            time.sleep(0.01)
    if any(id.startswith("poison") for id in ids):
        raise Exception("poison")
    if any(id.startswith("crash") for id in ids):
        os._exit(3)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
    failed = [number for number, id in zip(numbers, ids) if id.startswith("bad")]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def redrive(event):
    print(json.dumps(event), flush=True)
    if "hopeless" in json.dumps(event):
        raise Exception("it is hopeless")


def api(event):
    path = event.get("path") or event["rawPath"]
    if path.startswith("/things/crash"):
        os._exit(3)
    if path.startswith("/things/fail"):
        raise Exception("it failed")
    if path.startswith("/things/odd"):
        return {"body": "no status"}
    if path.startswith("/things/long"):
        return {"statusCode": 200, "body": "x" * 7_000_000}
    headers = {"Content-Type": "text/plain", "X-Kept": "1"}
    return {"statusCode": 201, "multiValueHeaders": {"X-Many": ["a", "b"]}, "headers": headers, "body": json.dumps(event)}


while True:
    asked = urllib.request.urlopen(runtime + "invocation/next")
    event, invocation = json.load(asked), "invocation/" + asked.headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        post(invocation + "/response", globals()[os.environ["_HANDLER"]](event))
    except Exception as error:
        post(invocation + "/error", {"errorType": "Failed", "errorMessage": str(error)})
