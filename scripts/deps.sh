#!/usr/bin/env bash
# Installs the Debian packages that the build and the tests need and that are missing, as root or through sudo.
set -euo pipefail
packages=(libsecp256k1-dev libgmp-dev libssl-dev libjansson-dev libseccomp-dev libsodium-dev zlib1g-dev make python3-venv)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ]; then sudo=(); elif command -v sudo >/dev/null; then sudo=(sudo); else
    echo "These Debian packages are missing, and there is neither root nor sudo to install them: ${missing[*]}" >&2
    exit 1
fi
echo "Installing ${missing[*]}"
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
