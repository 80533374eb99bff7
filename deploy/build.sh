#!/bin/sh
# Puts the app, with all that it needs to run, into a folder. The Dockerfile runs it, and so can you:
#   deploy/build.sh /opt/unrot           makes an environment from requirements.txt
#   deploy/build.sh /opt/unrot .venv     takes one that is there
#   /opt/unrot/start.sh                  serves
set -eu
mkdir -p "$1"
target=$(cd "$1" && pwd)
if [ $# -gt 1 ]; then
  ln -sfn "$(cd "$2" && pwd)" "$target/environment"
else
  python3 -m venv "$target/environment"
  "$target/environment/bin/pip" install --no-cache-dir --prefer-binary --disable-pip-version-check \
    --requirement "$(dirname "$0")/../requirements.txt"
fi
cd "$(dirname "$0")/.."
cp -R app.py gunicorn.conf.py unrot templates static deploy/start.sh "$target"
# The root may be read-only later, and a platform may forbid to write compiled files.
"$target/environment/bin/python" -m compileall -q --invalidation-mode checked-hash "$target/unrot" "$target/app.py"
# Without documentation too, for the learner: it holds 17 MB less then.
(cd "$target" && environment/bin/python -m unrot.run.sparing)
