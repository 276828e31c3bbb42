#!/bin/sh
# Makes a virtual environment with Headwater in it, editable, and everything to test it.
#
#   scripts/venv.sh DIR locked    the versions of requirements-dev.lock (an environment that exists is brought up to date)
#   scripts/venv.sh DIR witness   ClickHouse as a module, and of the locked versions only what runs its tests
#   scripts/venv.sh DIR sail      the locked versions, and Sail with a client for it
#   scripts/venv.sh DIR spark     the locked versions, and Spark
#   scripts/venv.sh DIR newest    the newest versions that pyproject.toml allows, in a new environment
#   scripts/venv.sh DIR oldest    the oldest versions that pyproject.toml allows, in a new environment
set -eu
cd "$(dirname "$0")/.."
dir=$1
versions=$2

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "Headwater needs Python 3.11 or newer; none was found. Name one with PYTHON=/path/to/python make …" >&2
    exit 1
}

case $versions in newest | oldest) rm -rf "$dir" ;; esac
if [ ! -x "$dir/bin/python" ]; then
    python=$(find_python)
    echo "Making $dir with $("$python" --version) …"
    if ! "$python" -m venv "$dir"; then
        echo "That Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2
        rm -rf "$dir"
        exit 1
    fi
fi

pip="$dir/bin/python -m pip --disable-pip-version-check --quiet --quiet"
case $versions in
locked | sail | spark)
    echo "Installing the $(grep -c == requirements-dev.lock) locked packages (on a new machine about a minute) …"
    $pip install --requirement requirements-dev.lock
    $pip install --no-deps --editable .
    if [ "$versions" != locked ]; then
        echo "Installing what $versions needs …"
        $pip install --constraint requirements-dev.lock --editable ".[test-$versions]"
    fi
    ;;
witness)
    echo "Installing ClickHouse and what runs its tests …"
    $pip install --constraint requirements-dev.lock --editable '.[fast,witness]' pytest pytest-asyncio hypothesis
    ;;
newest)
    echo "Installing the newest versions that pyproject.toml allows …"
    $pip install --upgrade --upgrade-strategy eager --editable '.[delta,fit,iceberg,traces,test]'
    ;;
oldest)
    echo "Installing the oldest versions that pyproject.toml allows …"
    $pip install uv
    "$dir/bin/uv" pip install --quiet --python "$dir/bin/python" --resolution lowest-direct --editable '.[delta,fit,iceberg,traces,test]' \
        duckdb-extension-httpfs==1.5.5 # of that DuckDB only: here what reads S3 is tested against a real server
    ;;
*)
    echo "usage: $0 DIR locked|witness|sail|spark|newest|oldest" >&2
    exit 2
    ;;
esac
# Compiles the funnel kernel now, so that the first question does not wait for it.
"$dir/bin/python" -m engine.warm
