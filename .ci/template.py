"""Translates a SAM template and lints what CloudFormation would get, and lints the template of the account; proves that it can fail."""

import json
import logging
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from cfnlint.api import ManualArgs, lint
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# What is there only to turn into something else: a parameter that the translation resolves is
# unused after it. The project's tests look for parameters that nobody refers to.
# W1030 looks at the default of a parameter in a branch that is taken only if it has another value.
IGNORED = ["W2001", "W1030"]

# The parameters that change what the translation makes, in the combinations that matter.
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/restored/stream/2026-11-29T00:00:00.000"
LIMITS = {"MaxRequestsPerSecond": "50", "MaxWriteUnits": "100", "ApiConcurrency": "20", "IndexerConcurrency": "8"}
VARIANTS = [
    {},
    {"Authorization": "NONE", "AccessLogs": "enabled", "Protection": "enabled", **LIMITS},
    {"Endpoint": "function-url", "LocalIndexes": "false", "KmsKeyArn": KEY, "MaxReadUnits": "100"},
    {"Endpoint": "function-url", "Authorization": "NONE", "AccessLogs": "enabled"},
    {"ExistingStreamArn": STREAM, "ExistingAnalysisTable": "restored_analysis", "KmsKeyArn": KEY},
    {"ExistingStreamArn": STREAM, "ExistingAnalysisTable": "original_analysis", "ExistingIndex": "EmumerationIndex"},
]

# A change to the template, each of which has to be found.
FAULTS = [
    ("BillingMode: PAY_PER_REQUEST", "BillingMode: PAY_PER_REQUESTS"),
    ("StartingPosition: TRIM_HORIZON", "StartingPosition: THE_END"),
    ("MemorySize: 512", "MemorySize: 64"),
    ("!GetAtt IndexerRole.Arn", "!GetAtt IndexersRole.Arn"),
    ("AttributeName: page_item, AttributeType: N", "AttributeName: pages, AttributeType: N"),
    ("DeletionProtectionEnabled: !If", "DeletionProtection: !If"),
    ("FunctionName: !Ref ApiFunction", "FunctionName: !Ref ApisFunction"),
]


class NoManagedPolicies:
    """The functions have roles of their own."""

    def load(self):
        return {}


def findings(text, variants):
    """What is wrong with a template, for people."""
    found = []
    for parameters in variants:
        template = yaml_parse(text)
        # The translation wants code that was uploaded, as `sam deploy` does before it.
        template["Globals"]["Function"]["CodeUri"] = "s3://bucket/code.zip"
        try:
            translated = transform(template, dict(parameters), NoManagedPolicies())
        except InvalidDocumentException as error:
            found += [str(cause) for cause in error.causes]
            continue
        found += linted(json.dumps(translated))
    return sorted(set(found))


def linted(text):
    """What is wrong with a template of CloudFormation itself."""
    matches = lint(text, config=ManualArgs(ignore_checks=IGNORED))
    return [f"{match.rule.id} at {'/'.join(map(str, match.path or []))}: {match.message}" for match in matches]


def main(file, account):
    logging.disable(logging.WARNING)  # of the translation, about itself
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    wrong = [f"{file}: {finding}" for finding in findings(text, VARIANTS)]
    with open(account, encoding="utf-8") as opened:
        wrong += [f"{account}: {finding}" for finding in linted(opened.read())]
    for right, fault in FAULTS:
        if right not in text:
            wrong.append(f"{file} does not say `{right}` any more: mend FAULTS in {__file__}")
        elif not findings(text.replace(right, fault, 1), VARIANTS[:1]):
            wrong.append(f"nothing was found with `{fault}` in the place of `{right}`: the gate has a hole")
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
