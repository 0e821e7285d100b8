"""Checks the manifests of all crates that are published, and packages them. Publishes nothing."""

import json
import subprocess
import sys

REQUIRED = ["description", "license", "repository", "readme", "keywords", "categories"]


def workspace():
    """The packages of the workspace, as cargo describes them."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["packages"]


def is_published(package):
    """Whether cargo would publish a package: `publish = false` is an empty list of registries."""
    return package["publish"] is None


def findings(packages):
    """What would prevent a package from being published, for people."""
    published = {package["name"] for package in packages if is_published(package)}
    for package in filter(is_published, packages):
        name = package["name"]
        for field in REQUIRED:
            if not package[field]:
                yield f"{name} has no {field}"
        if package["features"] and "rs" not in (package["metadata"] or {}).get("docs", {}):
            yield f"{name} has features, but no [package.metadata.docs.rs]"
        for dependency in package["dependencies"]:
            needed, versioned = dependency["name"], dependency["req"] != "*"
            if "path" not in dependency:
                continue
            if dependency["kind"] == "dev" and versioned:
                yield f"{name} needs {needed} in its tests: write `{needed} = {{ path = ... }}` without a version"
            if dependency["kind"] != "dev" and not versioned:
                yield f"{name} depends on {needed} without a version"
            if dependency["kind"] != "dev" and needed not in published:
                yield f"{name} is published, but {needed}, on which it depends, is not"


def main():
    packages = workspace()
    wrong = list(findings(packages))
    if wrong:
        print("\n".join(f"publishable: {finding}" for finding in wrong), file=sys.stderr)
        return 1
    names = [argument for package in packages if is_published(package) for argument in ("-p", package["name"])]
    command = ["cargo", "package", "--quiet", "--no-verify", "--allow-dirty", "--locked", *names]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
