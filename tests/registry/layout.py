"""An OCI image layout in a directory: blobs by digest, images by name."""

import hashlib
import json
import os
from pathlib import Path

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
INDEX_TYPES = (OCI_INDEX, DOCKER_LIST)
MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)
REF_NAME = "org.opencontainers.image.ref.name"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def to_json(value):
    """The bytes that a builder would write; the same value gives the same bytes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Layout:
    """`names` maps the name of an image to its descriptor."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.names = {}
        (self.directory / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (self.directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        index = self.directory / "index.json"
        if index.exists():
            self.names = {entry["annotations"][REF_NAME]: entry for entry in json.loads(index.read_text())["manifests"]}

    def path(self, digest):
        algorithm, value = digest.split(":")
        return self.directory / "blobs" / algorithm / value

    def put(self, data, media_type, /, **more):
        """Stores a blob; returns its descriptor, with `more` in it."""
        digest = digest_of(data)
        path = self.path(digest)
        if not path.exists():
            unfinished = path.with_suffix(f".{os.getpid()}")
            unfinished.write_bytes(data)
            unfinished.rename(path)
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def put_json(self, value, media_type, **more):
        return self.put(to_json(value), media_type, **more)

    def bytes(self, digest):
        return self.path(digest).read_bytes()

    def json(self, descriptor):
        """What a descriptor or the name of an image speaks of."""
        if isinstance(descriptor, str):
            descriptor = self.names[descriptor]
        return json.loads(self.bytes(descriptor["digest"]))

    def name(self, name, descriptor):
        entry = {key: value for key, value in descriptor.items() if key != "platform"}
        self.names[name] = {**entry, "annotations": {**entry.get("annotations", {}), REF_NAME: name}}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(self.names.values())}
        (self.directory / "index.json").write_bytes(to_json(index))
        return descriptor

    def children(self, descriptor):
        """The descriptors of the manifests that an index lists, [] of anything else."""
        if descriptor["mediaType"] not in INDEX_TYPES:
            return []
        return self.json(descriptor)["manifests"]

    def blobs_of(self, descriptor):
        """The descriptors of config and layers of one manifest, without those of a foreign host."""
        manifest = self.json(descriptor)
        return [blob for blob in [manifest["config"], *manifest["layers"]] if not blob.get("urls")]
