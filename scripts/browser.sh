#!/bin/sh
# Makes sure that Chromium and its driver are here, for the tests of the bundled page.
set -eu

if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "The browser tests need 'chromium' and 'chromedriver' on the PATH; please install them." >&2
    exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
    sudo=sudo
fi
echo "Installing Chromium and its driver for the browser tests …"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $sudo apt-get update && $sudo apt-get install --yes --no-install-recommends chromium chromium-driver; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
