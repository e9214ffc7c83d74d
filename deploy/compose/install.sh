#!/usr/bin/env bash
# Installs what ALMANAC_STAND_IN_IMAGES=1 npm run test:compose needs where there is no Docker: podman
# with its network and build tools, Docker Compose (built from its Go module, some minutes, once),
# and mmdebstrap for the images that stand in where none can be pulled. Java, Maven and Go must be
# there. For Debian and Ubuntu, as root. Does nothing for what is already there.
set -euo pipefail

packages=(podman crun runc netavark aardvark-dns uidmap fuse-overlayfs slirp4netns conmon catatonit
  iptables nftables mmdebstrap ca-certificates)
missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
    missing+=("$package")
done

if [ "${#missing[@]}" -gt 0 ]; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "Missing: ${missing[*]}" >&2
    echo "Install them with your package manager, or run this as root on Debian or Ubuntu." >&2
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
fi

compose=${ALMANAC_CACHE:-$HOME/.cache/almanac}/docker-compose
if ! docker compose version >/dev/null 2>&1 && [ ! -x "$compose" ]; then
  # The module cannot be installed by `go install`, because it excludes versions; a module that
  # requires it can build it.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  go mod init compose
  go get github.com/docker/compose/v2/cmd@v2.40.3
  go build -trimpath -ldflags='-s -w' -o docker-compose github.com/docker/compose/v2/cmd
  mkdir -p "$(dirname "$compose")"
  mv docker-compose "$compose"
fi
