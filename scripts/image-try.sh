#!/bin/sh
# Does outside of a container what the Dockerfile does in one: build, serve a project, ask for health, stop.
#
#   scripts/image-try.sh PROJECT    a folder with a model and its data
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
project=$1
prefix=$work/headwater
HEADWATER_HOST=127.0.0.1
HEADWATER_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export HEADWATER_HOST HEADWATER_PORT

server=
# shellcheck disable=SC2317  # called by the trap
finish() {
    if [ -n "$server" ] && kill "$server" 2>/dev/null; then
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

# Only what .dockerignore lets through, so that a file missing from the image is missing here too.
mkdir "$work/context"
# shellcheck disable=SC2046  # the patterns are there to be expanded
cp -R --parents $(sed -n 's/^!//p' .dockerignore) "$work/context"
"$work/context/scripts/image-build.sh" "$prefix"
cd "$project"
"$prefix/bin/headwater" serve >"$work/log" 2>&1 &
server=$!
for _ in $(seq 60); do
    if "$prefix/bin/headwater" health >/dev/null 2>&1; then
        echo "The image's steps work: built, started, healthy."
        exit 0
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.5
done
echo "The server did not become healthy. What it said:" >&2
cat "$work/log" >&2
exit 1
