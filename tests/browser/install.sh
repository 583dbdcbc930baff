#!/bin/sh
# Install Debian's Chromium, if that is possible here.
command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || exit 1
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
