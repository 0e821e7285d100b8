# A Lambda function that does as its event says.
import json, os, sys, time, urllib.error, urllib.request

print("process", os.getpid(), flush=True)
runtime = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"


def post(path, answer):
    try:
        urllib.request.urlopen(runtime + path, json.dumps(answer).encode())
    except urllib.error.HTTPError as error:
        print("refused:", error.code, flush=True)


if os.environ["_HANDLER"] == "broken":
    post("init/error", {"errorType": "Wrong", "errorMessage": "no such handler"})
    sys.exit(1)
while True:
    asked = urllib.request.urlopen(runtime + "invocation/next")
    event, invocation = json.load(asked), "invocation/" + asked.headers["Lambda-Runtime-Aws-Request-Id"]
    print("asked", event.get("say"), flush=True)
    if "exit" in event:
        os._exit(event["exit"])
    time.sleep(event.get("sleep", 0))
    while not os.path.exists(event.get("until", "/")):
        time.sleep(0.005)
    if "fail" in event:
        post(invocation + "/error", {"errorType": "Failed", "errorMessage": event["fail"]})
        continue
    left = int(asked.headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000
    answer = {"pid": os.getpid(), "left": left, "environment": dict(os.environ)}
    post(invocation + "/response", answer | {"text": "x" * event.get("bytes", 0)})
    print("answered", flush=True)
