"""Translates a SAM template and lints what CloudFormation would get; proves that it can fail."""

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
IGNORED = ["W2001"]

# The value of each parameter that changes what the translation makes.
VARIANTS = [{"Authorization": "AWS_IAM"}, {"Authorization": "NONE"}]

# A change to the template, each of which has to be found.
FAULTS = [
    ("BillingMode: PAY_PER_REQUEST", "BillingMode: PAY_PER_REQUESTS"),
    ("StartingPosition: TRIM_HORIZON", "StartingPosition: THE_END"),
    ("MemorySize: 512", "MemorySize: 64"),
    ("!GetAtt IndexerRole.Arn", "!GetAtt IndexersRole.Arn"),
    ("AttributeName: page_item, AttributeType: N", "AttributeName: pages, AttributeType: N"),
    ("DeletionProtectionEnabled: true", "DeletionProtection: true"),
    ("RestApiId: !Ref Api", "RestApiId: !Ref Apis"),
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
        linted = lint(json.dumps(translated), config=ManualArgs(ignore_checks=IGNORED))
        found += [f"{match.rule.id} at {'/'.join(map(str, match.path or []))}: {match.message}" for match in linted]
    return sorted(set(found))


def main(file):
    logging.disable(logging.WARNING)  # of the translation, about itself
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    wrong = [f"{file}: {finding}" for finding in findings(text, VARIANTS)]
    for right, fault in FAULTS:
        if right not in text:
            wrong.append(f"{file} does not say `{right}` any more: mend FAULTS in {__file__}")
        elif not findings(text.replace(right, fault, 1), VARIANTS[:1]):
            wrong.append(f"nothing was found with `{fault}` in the place of `{right}`: the gate has a hole")
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
