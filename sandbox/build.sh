#!/bin/sh
# Builds the image that agents work in.  Usage: sandbox/build.sh [NAME:TAG]
#
# Where Debian's image can't be pulled, a base of the same name is made from Debian's packages
# (needs root and debootstrap).
set -eu

image=${1:-itbench-sandbox:1}
here=$(dirname "$(realpath "$0")")
base=$(sed -n 's/^FROM \([^ ]*\).*/\1/p' "$here/Dockerfile" | head -n 1)

fail() {
    echo "sandbox/build.sh: $1" >&2
    exit 1
}

make_base() {
    [ "$(id -u)" = 0 ] || fail "$base can't be pulled; run this as root, so that it can be made here"
    command -v debootstrap > /dev/null || fail "$base can't be pulled; apt-get install debootstrap, so that it can be made here"
    suite=${base#*:}
    debootstrap --variant=minbase --include=ca-certificates "${suite%%-*}" "$scratch/rootfs"
    rm -rf "$scratch"/rootfs/var/cache/apt/archives/*.deb "$scratch"/rootfs/var/lib/apt/lists/*
    rm -rf "$scratch"/rootfs/usr/share/doc/* "$scratch"/rootfs/usr/share/man/* "$scratch"/rootfs/usr/share/locale/*
    tar -C "$scratch/rootfs" -c . | docker import - "$base"
}

docker version > /dev/null 2>&1 || fail "no Docker engine answers; start one, or set DOCKER_HOST"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

docker image inspect "$base" > /dev/null 2>&1 || docker pull "$base" || make_base

mkdir "$scratch/context"
cp "$here/Dockerfile" "$here/requirements.txt" "$scratch/context"
certificates=${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
if [ -r "$certificates" ]; then cp "$certificates" "$scratch/context/ca.crt"; fi

docker build --network host --build-arg HTTP_PROXY --build-arg HTTPS_PROXY --build-arg NO_PROXY \
    --tag "$image" "$scratch/context"
docker run --rm --network none "$image" python3 -c 'import drain3, numpy, pandas, yaml'
echo "built $image"
