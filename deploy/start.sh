#!/bin/sh
# Serves the app that build.sh has put beside this file. All that is written goes to UNROT_HOME.
set -eu
cd "$(dirname "$0")"
export UNROT_HOME="${UNROT_HOME:-/data}"
export TMPDIR="${TMPDIR:-$UNROT_HOME/tmp}"
mkdir -p "$TMPDIR"
exec environment/bin/python -m gunicorn app:app
