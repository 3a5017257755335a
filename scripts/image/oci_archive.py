"""Writes an image as an OCI archive: configuration, manifest, index and blobs in one sorted tar."""

import json
from dataclasses import dataclass

from image_layer import Layer, digest_of, gzip

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def to_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass
class Step:
    """One line of the history; without a layer it changes the configuration alone."""
    created_by: str
    created: str
    layer: Layer | None = None


class Archive:
    """Blobs by digest, and one manifest."""

    def __init__(self):
        self.blobs, self.manifest, self.layers = {}, None, []

    def put(self, data, media_type):
        digest = digest_of(data)
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def put_image(self, architecture, created, settings, steps, annotations):
        """`settings` is the inner `config`: user, entry point, labels."""
        history, diff_ids = [], []
        for step in steps:
            line = {"created": step.created, "created_by": step.created_by}
            if step.layer is None:
                line["empty_layer"] = True
            else:
                tar = step.layer.tar()
                diff_ids.append(digest_of(tar))
                self.layers.append(self.put(gzip(tar), LAYER))
            history.append(line)
        config = {"created": created, "architecture": architecture, "os": "linux", "config": settings,
                  "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.put(to_json(config), CONFIG),
                    "layers": self.layers, "annotations": annotations}
        self.manifest = self.put(to_json(manifest), MANIFEST)
        self.manifest["platform"] = {"architecture": architecture, "os": "linux"}
        return self.manifest

    def compressed(self):
        """Bytes that a node pulls: manifest, configuration, layers."""
        return sum(len(data) for data in self.blobs.values())

    def bytes(self, time, annotations):
        """The archive; `annotations` name the image in the index."""
        tar = Layer(time)
        tar.file("/oci-layout", '{"imageLayoutVersion":"1.0.0"}')
        tar.file("/index.json", to_json({"schemaVersion": 2, "mediaType": INDEX,
                                         "manifests": [{**self.manifest, "annotations": annotations}]}))
        for digest, data in self.blobs.items():
            tar.file("/blobs/" + digest.replace(":", "/"), data)
        return tar.tar()
