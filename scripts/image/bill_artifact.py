#!/usr/bin/env python3
"""Makes the OCI layout by which an image's bill of materials is pushed as a referrer: bill_artifact.py ARCHIVE BILL DIRECTORY.

"bill" in it is the artifact, "referrers" the index of it that registries without the referrers API keep under the tag
sha256-<digest> (distribution specification 1.1, "referrers tag schema"). Prints the artifact's digest and that tag.
"""

import json
import sys
import tarfile
from pathlib import Path

from image_layer import digest_of
from oci_archive import INDEX, MANIFEST, to_json

CYCLONEDX = "application/vnd.cyclonedx+json"
EMPTY = "application/vnd.oci.empty.v1+json"
CREATED = "org.opencontainers.image.created"


class Layout:
    def __init__(self, directory):
        self.directory, self.named = directory, []
        (directory / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def put(self, data, media_type):
        digest = digest_of(data)
        (self.directory / "blobs" / digest.replace(":", "/")).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def name(self, descriptor, name):
        self.named.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}})
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.named}
        (self.directory / "index.json").write_bytes(to_json(index))


def subject_of(archive):
    with tarfile.open(archive) as tar:
        entry = json.load(tar.extractfile("index.json"))["manifests"][0]
    return {key: entry[key] for key in ("mediaType", "digest", "size")}


def artifact(layout, subject, bill):
    """The descriptor of the bill's manifest, as an index lists it."""
    told = {CREATED: json.loads(bill)["metadata"]["timestamp"]}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": CYCLONEDX, "config": layout.put(b"{}", EMPTY),
                "layers": [layout.put(bill, CYCLONEDX)], "subject": subject, "annotations": told}
    return {**layout.put(to_json(manifest), MANIFEST), "artifactType": CYCLONEDX, "annotations": told}


def main():
    archive, bill, directory = sys.argv[1], Path(sys.argv[2]).read_bytes(), Path(sys.argv[3])
    layout, subject = Layout(directory), subject_of(archive)
    own = artifact(layout, subject, bill)
    layout.name(own, "bill")
    layout.name(layout.put(to_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [own]}), INDEX), "referrers")
    print(own["digest"], subject["digest"].replace(":", "-"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
