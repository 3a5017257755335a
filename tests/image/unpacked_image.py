"""An OCI archive as a test reads it: blobs verified by digest, layers unpacked into a directory."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path


class UnpackedImage:
    """`entries`: [(layer, TarInfo)] of all layers; `root` is the directory with their files."""

    def __init__(self, archive, root):
        self.archive, self.root = Path(archive), Path(root)
        with tarfile.open(archive) as tar:
            self.files = {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}
        self.index = json.loads(self.files["index.json"])
        self.descriptor = self.index["manifests"][0]
        self.manifest = json.loads(self.blob(self.descriptor))
        self.config = json.loads(self.blob(self.manifest["config"]))
        self.entries, self.data = [], {}
        for number, layer in enumerate(self.manifest["layers"]):
            self._unpack(number, gzip.decompress(self.blob(layer)))

    def blob(self, descriptor):
        data = self.files["blobs/" + descriptor["digest"].replace(":", "/")]
        if "sha256:" + hashlib.sha256(data).hexdigest() != descriptor["digest"] or len(data) != descriptor["size"]:
            raise AssertionError(f"{descriptor['digest']} is not what it says")
        return data

    def _unpack(self, number, data):
        if "sha256:" + hashlib.sha256(data).hexdigest() != self.config["rootfs"]["diff_ids"][number]:
            raise AssertionError(f"layer {number + 1} is not what the configuration says")
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for entry in tar:
                self.entries.append((number, entry))
                if entry.isfile():
                    self.data["/" + entry.name] = tar.extractfile(entry).read()
            tar.extractall(self.root)

    @property
    def digest(self):
        return self.descriptor["digest"]

    @property
    def compressed(self):
        return self.descriptor["size"] + sum(blob["size"] for blob in [self.manifest["config"], *self.manifest["layers"]])

    def libraries(self):
        """Shared libraries, the loader among them."""
        return {path: data for path, data in self.data.items() if ".so" in Path(path).name}
