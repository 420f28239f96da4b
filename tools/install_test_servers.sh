#!/bin/sh
# The browser, the Redis server and Node.js (for the JavaScript SDKs) for the tests, from Debian
# where we may install them.
# Elsewhere: the tests look for chromium and redis-server on the PATH (a Redis comes in a wheel
# on Linux x86_64); what is missing is skipped with a word, and is a failure when CI is set.
set -e
missing=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
    command -v google-chrome >/dev/null || missing="$missing chromium"
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "Not found:$missing. Tests that need it are skipped." >&2
fi
