"""Recomputes the root of a store's verifiable log from the changesets that its server answers.

    python3 verify_log.py URL [SAVED]

SAVED is an older answer of URL/log/head: the log has to go on from it. EES_KEY is the secret of
a key with the right to read everything, for a server that has keys.
"""

import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from datetime import datetime, timedelta

# Numbers are of any size here, and only their texts count.
read = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode


def ask(path):
    key = os.environ.get("EES_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(sys.argv[1] + path, headers=headers)
    try:
        return urllib.request.urlopen(request).read().decode()
    except urllib.error.HTTPError as refused:
        sys.exit(refused.read().decode())


def skip(text, at):
    """The place of the next character that is no white space."""
    while text[at] in " \t\r\n":
        at += 1
    return at


def parts(text):
    """The members of an object by name, or the items of an array: their texts, byte for byte."""
    names, values, at = [], [], skip(text, 1)
    while text[at] not in "]}":
        if text[0] == "{":
            name, at = read(text, at)
            names.append(name)
            at = skip(text, skip(text, at) + 1)  # behind the colon
        begin, at = at, read(text, at)[1]
        values.append(text[begin:at])
        at = skip(text, at)
        if text[at] == ",":
            at = skip(text, at + 1)
    return dict(zip(names, values)) if names else values


def number(value):
    return value.to_bytes(8, "big", signed=value < 0)


def leaf(changeset):
    def string(name, absent=""):
        return json.loads(changeset[name]) if name in changeset else absent

    time = datetime.fromisoformat(string("timestamp").rstrip("Z")) - datetime(1970, 1, 1)
    ids = [int(changeset[name]) for name in ("changeset_id", "first_event_id", "last_event_id")]
    numbers = [number(value) for value in (*ids, time // timedelta(microseconds=1))]
    texts = [string("idempotency_key", "ees-none"), string("set")]
    texts = [text.encode() for text in (*texts, changeset["metadata"], changeset["events"])]
    fields = [string("stream_id").encode(), *numbers, *texts]
    record = b"".join(number(len(field)) + field for field in fields)
    return hashlib.sha256(b"\0EES1" + record).digest()


def root(complete):
    *rest, root = complete
    while rest:
        root = hashlib.sha256(b"\1" + rest.pop() + root).digest()
    return b64encode(root).decode()


heads = [json.loads(ask("/log/head"))]
if len(sys.argv) > 2:
    with open(sys.argv[2]) as file:
        heads.append(json.load(file))
complete = []  # the roots of the complete trees, the largest first
size, end, void = 0, max(head["size"] for head in heads), hashlib.sha256(b"\0EES1void").digest()
while size < end:
    page = parts(ask(f"/changesets?checkpoint={size}&limit=1000&details=true"))
    changesets = {int(one["checkpoint"]): one for one in map(parts, parts(page["changesets"]))}
    if int(page["next_checkpoint"]) == size:
        sys.exit(f"the changesets end at size {size}, and a head has size {end}")
    for checkpoint in range(size, min(int(page["next_checkpoint"]), end)):
        hash = leaf(changesets[checkpoint]) if checkpoint in changesets else void
        size = checkpoint + 1
        for _ in range((size & -size).bit_length() - 1):
            hash = hashlib.sha256(b"\1" + complete.pop() + hash).digest()
        complete.append(hash)
        for head in heads:
            if head["size"] == size and head["root"] != root(complete):
                sys.exit(f"the root at size {size} is {root(complete)}, and not {head['root']}")
print(f"size {size}, root {root(complete)}: {len(heads)} head(s) agree with all changesets")
