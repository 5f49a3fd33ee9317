#!/bin/sh
# Makes .venv with the locked Python packages and Vestibule itself, from the source tree.
# $PYTHON chooses the interpreter; it has to be 3.11 or newer.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "scripts/python.sh: Python 3.11 or newer is needed; $python is not." >&2
    echo "Name another one: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
fi

# Debian and Ubuntu keep venv's parts in a package of its own.
"$python" -c 'import ensurepip' 2>/dev/null ||
    scripts/debian.sh "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"

echo "Installing the Python packages of requirements/development.txt into .venv ..."
[ -x .venv/bin/pip ] || "$python" -m venv --clear .venv
.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements/development.txt
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
