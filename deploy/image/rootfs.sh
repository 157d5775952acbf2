#!/usr/bin/env bash
# Collects what a container of Weber needs: the stripped binary, its shared libraries, certificates, a passwd file.
#
#   deploy/image/rootfs.sh BINARY DIR     DIR is made and must be empty or absent
set -euo pipefail

[ $# -eq 2 ] || {
  echo "usage: rootfs.sh BINARY DIR" >&2
  exit 2
}
binary=$1 dir=$2
[ -x "$binary" ] || {
  echo "rootfs.sh: $binary is no program: build it first (cmake --preset release && ninja -C build/release weber)" >&2
  exit 1
}
[ -z "$(ls -A "$dir" 2>/dev/null)" ] || {
  echo "rootfs.sh: $dir is not empty" >&2
  exit 1
}
mkdir -p "$dir/etc/ssl/certs" "$dir/tmp" "$dir/data"
strip -o "$dir/weber" "$binary"

# The files that the loader would load for a program or library, itself included.
needed_by() { ldd "$1" | awk '/=> \// { print $3 } /^\t\// { print $1 }'; }

# Names of libraries in the program's text: those that it loads when it needs them (librnp with the first PGP key).
loaded_later() {
  strings "$binary" | grep -oE 'lib[A-Za-z0-9_+-]+([.-][0-9.]+)?\.so(\.[0-9]+)+' | sort -u | while read -r name; do
    ldconfig -p | awk -v name="$name" '$1 == name { print $NF; exit }'
  done
}

# Under the names that the loader looks for. Name resolution needs no more: files and dns are in glibc since 2.34.
{
  needed_by "$binary"
  for library in $(loaded_later); do
    echo "$library"
    needed_by "$library"
  done
} | sort -u | while read -r library; do
  mkdir -p "$dir$(dirname "$library")"
  cp -L "$library" "$dir$library"
  strip --strip-unneeded "$dir$library" 2>/dev/null || true
done

cp -L /etc/ssl/certs/ca-certificates.crt "$dir/etc/ssl/certs/"
echo 'weber:x:65532:65532::/tmp:/weber' >"$dir/etc/passwd"
echo 'weber:x:65532:' >"$dir/etc/group"
echo 'hosts: files dns' >"$dir/etc/nsswitch.conf"
chmod 1777 "$dir/tmp"
chown -R 65532:65532 "$dir/data" 2>/dev/null || true
