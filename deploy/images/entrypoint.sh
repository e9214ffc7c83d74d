#!/bin/sh
# Starts the command. A secret may be given as a file, by the name of its variable and _FILE, so that
# it stands in no compose file and in no `docker inspect`.
set -eu

for name in ALMANAC_TOKEN ALMANAC_CQL_PASSWORD; do
  eval "value=\${$name:-} file=\${${name}_FILE:-}"
  if [ -n "$file" ] && [ -z "$value" ]; then
    if [ ! -r "$file" ]; then
      echo "Cannot start: ${name}_FILE: $file cannot be read" >&2
      exit 2
    fi
    export "$name=$(cat "$file")"
  fi
  unset "${name}_FILE"
done

exec "$@"
