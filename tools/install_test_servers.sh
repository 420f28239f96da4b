#!/bin/sh
# The browser, the Redis server and Node.js (for the JavaScript SDKs) for the tests, from Debian
# where we may install them.
# Elsewhere: the tests look for a Chromium and redis-server on the PATH (a Redis comes in a wheel
# on Linux x86_64); what is missing is skipped with a word, and is a failure when CI is set.
set -e
missing=""
browser=""
for name in chromium-headless-shell chrome-headless-shell chromium chromium-browser google-chrome; do
    command -v $name >/dev/null && browser=$name
done
[ -n "$browser" ] || missing="$missing chromium-headless-shell"
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    # Not every release has the one without windows.
    apt-cache show chromium-headless-shell >/dev/null 2>&1 ||
        missing=$(echo "$missing" | sed 's/chromium-headless-shell/chromium/')
    echo "Installing for the tests:$missing"
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "Not found:$missing. Tests that need it are skipped." >&2
fi
