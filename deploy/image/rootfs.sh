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

# What the loader would load, under the names it looks for; the loader itself included.
rnp=$(ldconfig -p | awk '$1 == "librnp.so.0" { print $NF; exit }') # loaded with the first PGP key
{
  ldd "$binary"
  [ -z "$rnp" ] || { printf '\t%s\n' "$rnp" && ldd "$rnp"; }
} | awk '/=> \// { print $3 } /^\t\// { print $1 }' | sort -u | while read -r library; do
  mkdir -p "$dir$(dirname "$library")"
  cp -L "$library" "$dir$library"
  strip --strip-unneeded "$dir$library" 2>/dev/null || true
done
# Name resolution is loaded at run time.
for library in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
  found=$(ldconfig -p | awk -v name="$library" '$1 == name && /x86-64|AArch64/ { print $NF; exit }')
  [ -z "$found" ] || cp -L "$found" "$dir$(dirname "$(rnp=$(ldconfig -p | awk '$1 == "librnp.so.0" { print $NF; exit }') # loaded with the first PGP key
{
  ldd "$binary"
  [ -z "$rnp" ] || { printf '\t%s\n' "$rnp" && ldd "$rnp"; }
} | awk '/libc\.so/ { print $3 }')")/"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$dir/etc/ssl/certs/"
echo 'weber:x:65532:65532::/tmp:/weber' >"$dir/etc/passwd"
echo 'weber:x:65532:' >"$dir/etc/group"
echo 'hosts: files dns' >"$dir/etc/nsswitch.conf"
chmod 1777 "$dir/tmp"
chown -R 65532:65532 "$dir/data" 2>/dev/null || true
