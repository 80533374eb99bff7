#!/bin/sh
# Serves the app that build.sh has put beside this file. All that is written goes to UNROT_HOME.
set -eu
cd "$(dirname "$0")"
export UNROT_HOME="${UNROT_HOME:-/data}"
export TMPDIR="${TMPDIR:-$UNROT_HOME/tmp}"
# The folder may be read-only, and what is not compiled is compiled in memory.
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$TMPDIR"
exec environment/bin/python -m gunicorn app:app
