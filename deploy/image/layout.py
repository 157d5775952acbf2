#!/usr/bin/env python3
"""Writes an OCI image layout of Weber without a container engine.

    deploy/image/layout.py BINARY OUT [TAG]

OUT becomes a directory that `skopeo copy oci:OUT:TAG …`, `crane push OUT …` and `ctr image import` (after tar) take. The same binary gives the same digest.
"""
import gzip
import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile


def layer_of(root):
    """A tar of everything below root: names sorted, owner and times fixed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder, folders, files in sorted(os.walk(root)):
            folders.sort()
            for name in sorted(folders) + sorted(files):
                path = os.path.join(folder, name)
                inside = os.path.relpath(path, root)
                info = tar.gettarinfo(path, inside)
                owner = 65532 if inside.split("/")[0] == "data" else 0
                info.uid = info.gid = owner
                info.uname = info.gname = ""
                info.mtime = 0
                with open(path, "rb") if info.isfile() else io.BytesIO() as content:
                    tar.addfile(info, content if info.isfile() else None)
    return out.getvalue()


class Layout:
    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.join(path, "blobs", "sha256"))

    def blob(self, media_type, content):
        digest = hashlib.sha256(content).hexdigest()
        with open(os.path.join(self.path, "blobs", "sha256", digest), "wb") as f:
            f.write(content)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(content)}

    def json_blob(self, media_type, value):
        return self.blob(media_type, json.dumps(value, sort_keys=True).encode())

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as f:
            json.dump(value, f, sort_keys=True)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    binary, out = sys.argv[1:3]
    tag = sys.argv[3] if len(sys.argv) == 4 else "latest"
    if os.path.exists(out):
        sys.exit(f"layout.py: {out} exists already")
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as root:
        subprocess.run([os.path.join(here, "rootfs.sh"), binary, os.path.join(root, "fs")], check=True)
        layer = layer_of(os.path.join(root, "fs"))
    layout = Layout(out)
    packed = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(layer, 9, mtime=0))
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    config = layout.json_blob("application/vnd.oci.image.config.v1+json", {
        "architecture": architecture, "os": "linux",
        "config": {"User": "65532:65532", "Entrypoint": ["/weber"], "Cmd": ["agent"], "Env": ["PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}})
    manifest = layout.json_blob("application/vnd.oci.image.manifest.v1+json", {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [packed]})
    layout.write("oci-layout", {"imageLayoutVersion": "1.0.0"})
    layout.write("index.json", {"schemaVersion": 2, "manifests": [dict(manifest, annotations={"org.opencontainers.image.ref.name": tag})]})
    print(f"{out}: {packed['size'] / 1e6:.1f} MB packed, {len(layer) / 1e6:.1f} MB unpacked, {manifest['digest']}")


main()
