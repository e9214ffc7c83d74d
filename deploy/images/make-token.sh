#!/bin/sh
# Writes the token that brokers and nodes share: the one of ALMANAC_TOKEN when it is given, else the
# one that is there, else a random one. Usage: make-token.sh FILE
set -eu
umask 077

file=$1
if [ -n "${ALMANAC_TOKEN:-}" ]; then
  token=$ALMANAC_TOKEN
elif [ -s "$file" ]; then
  exit 0
else
  token=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
fi

# Renamed into place, so that nobody ever reads a half of it.
printf '%s' "$token" >"$file.new"
mv "$file.new" "$file"
