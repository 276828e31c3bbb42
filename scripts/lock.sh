#!/bin/sh
# Writes both lock files anew from pyproject.toml: the newest allowed versions, for every platform, without a word
# about where they came from.
set -eu
cd "$(dirname "$0")/.."
dir=.venv-lock

[ -x "$dir/bin/uv" ] || { python3 -m venv "$dir" && "$dir/bin/python" -m pip --disable-pip-version-check --quiet --quiet install uv; }

lock() {
    "$dir/bin/uv" pip compile --quiet --universal --python-version 3.11 --upgrade --no-header --no-emit-index-url \
        --no-annotate "$@" pyproject.toml
}
# The larger one first: an extra may allow only older versions of what both hold. The extras that have environments of
# their own (witness, test-sail, test-spark) are in neither.
lock --extra fast --extra fit --extra delta --extra iceberg --extra s3 --extra traces --extra test --extra lint --output-file requirements-dev.lock
lock --extra fast --constraint requirements-dev.lock --output-file requirements.lock
wc -l requirements.lock requirements-dev.lock
