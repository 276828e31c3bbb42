#!/bin/sh
# The steps that build the container image, kept here so that they also run, and are tried, outside of one.
#
#   scripts/image-build.sh PREFIX    makes PREFIX/bin/headwater: locked dependencies and the built package, nothing else
set -eu
cd "$(dirname "$0")/.."
prefix=$1

python3 -m venv "$prefix"
pip="$prefix/bin/python -m pip --disable-pip-version-check --no-cache-dir --quiet --quiet"
$pip install --requirement requirements.lock
$pip install --no-deps .
# Compiles the funnel kernel now, so that the first question does not wait for it.
"$prefix/bin/python" -m engine.warm
"$prefix/bin/headwater" --version
