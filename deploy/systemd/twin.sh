#!/bin/sh
# /usr/local/sbin/twin — a command of the twin, under its account and with the settings of its units.
set -eu
export HOME=/var/lib/city-twin TWIN_DATA_DIR=/var/lib/city-twin/data TWIN_RUN_DIR=/var/lib/city-twin/run
export NUMBA_CACHE_DIR=/var/cache/city-twin/numba
if [ -r /etc/city-twin/twin.env ]; then
    set -a
    . /etc/city-twin/twin.env
    set +a
fi
cd /var/lib/city-twin
[ "$(id -un)" = twin ] && exec /opt/city-twin/.venv/bin/twin "$@"
exec runuser -u twin -- /opt/city-twin/.venv/bin/twin "$@"
