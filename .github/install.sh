#!/bin/sh
# Installs gatewayctl: downloads the archive for this system from a release, compares its checksum, and unpacks the program.
#
#   curl --fail --location RELEASE/install.sh | sh
#
# GATEWAYCTL_BIN is the folder of the program [default: ~/.local/bin]. GATEWAYCTL_RELEASE is the address of another release's files.
set -eu

# The release workflow puts the address of its own release here.
release=${GATEWAYCTL_RELEASE:-@RELEASE@}
bin=${GATEWAYCTL_BIN:-$HOME/.local/bin}

fail() {
  echo "error: $1" >&2
  exit 1
}

# Everything is in a function that the last line calls, so that a download that breaks off runs nothing.
install_gatewayctl() {
  system=$(uname -s) processor=$(uname -m)
  case "$system-$processor" in
    Linux-x86_64) target=x86_64-unknown-linux-musl ;;
    Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
    Darwin-x86_64) target=x86_64-apple-darwin ;;
    Darwin-arm64) target=aarch64-apple-darwin ;;
    *) fail "there is no release for $system $processor; build it from source: cargo install --path . --locked" ;;
  esac
  archive=gatewayctl-$target.tar.gz
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  for file in "$archive" "$archive.sha256"; do
    download "$release/$file" "$work/$file" || fail "$release/$file can't be downloaded"
  done
  check "$work" "$archive" || fail "$archive is not the released one: its checksum differs; nothing was installed"
  tar -xzf "$work/$archive" -C "$work" gatewayctl
  mkdir -p "$bin"
  # A rename replaces a program that is running; writing to it would fail.
  cp "$work/gatewayctl" "$bin/.gatewayctl.new"
  chmod 755 "$bin/.gatewayctl.new"
  mv "$bin/.gatewayctl.new" "$bin/gatewayctl"
  "$bin/gatewayctl" --version || fail "$bin/gatewayctl doesn't run on this system"
  echo "installed in $bin"
  case ":$PATH:" in
    *":$bin:"*) ;;
    *) echo "note: $bin is not on your PATH; add it: export PATH=\"$bin:\$PATH\"" ;;
  esac
}

download() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --retry 3 --max-time 300 --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --tries=3 --output-document="$2" "$1"
  else
    fail "neither curl nor wget is installed"
  fi
}

check() {
  cd "$1"
  if command -v sha256sum >/dev/null; then
    sha256sum --check "$2.sha256" >/dev/null 2>&1
  elif command -v shasum >/dev/null; then
    shasum --algorithm 256 --check "$2.sha256" >/dev/null 2>&1
  else
    fail "neither sha256sum nor shasum is installed"
  fi
}

install_gatewayctl
