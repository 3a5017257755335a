"""Images of a facts.json, served by a registry: what a rule's golden cases are about."""

import datetime
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "registry"))
import certificates  # noqa: E402
import layout as oci  # noqa: E402
import misbehaving  # noqa: E402

HOST = "registry.test"


def time_of(text):
    """ "-10d", "+2d", "-3h" from now; anything else as it is."""
    if not text or text[0] not in "+-" or text[-1] not in "dh":
        return text
    span = datetime.timedelta(**{"days" if text[-1] == "d" else "hours": int(text[:-1])})
    return (datetime.datetime.now(datetime.timezone.utc) + span).strftime("%Y-%m-%dT%H:%M:%SZ")


class FactImages:
    """Serves them until closed; `flags` point `plimsoll check --images` and `plimsoll serve` at them."""

    def __init__(self, facts):
        self.directory = tempfile.TemporaryDirectory()
        root = Path(self.directory.name)
        authority = certificates.Authority(root / "authority")
        self.layout = oci.Layout(root / "layout")
        self.server = misbehaving.MisbehavingRegistry(self.layout, authority)
        (root / "reports").mkdir()
        for reference, image in facts.items():
            digest = self._push(reference, image)
            if "report" in image:
                self._report(root / "reports", digest, image["report"])
        self.registries = root / "registries.yaml"
        self.registries.write_text(json.dumps({
            "apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig",
            "spec": {"allow": [HOST],
                     "registries": [{"host": HOST, "mirrors": [f"https://{self.server.host}/v2/"]},
                                    {"host": self.server.host, "private": True, "ca": str(authority.ca)}]}}))
        self.flags = ["--registries", str(self.registries), "--scan-reports", str(root / "reports")]

    def _push(self, reference, image):
        name, _, tag = reference.removeprefix(HOST + "/").partition(":")
        entries = []
        for platform, made in image["platforms"].items():
            os_name, architecture, *variant = platform.split("/")
            descriptor = self._manifest(name, os_name, architecture, made, tag)
            about = {"os": os_name, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
            entries.append({**descriptor, "platform": about})
        if len(entries) == 1 and not image.get("index"):
            return entries[0]["digest"]
        index = {"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": entries, "annotations": image.get("annotations", {})}
        data = oci.to_json(index)
        self.server.add_manifest(name, data, oci.OCI_INDEX, tag or "latest")
        return oci.digest_of(data)

    def _manifest(self, name, os_name, architecture, made, tag):
        layers, diff_ids = [], []
        for number, layer in enumerate(made["layers"]):
            seed = layer.get("name") or f"{name} {os_name}/{architecture} {number} {layer['size']}"
            layers.append({"mediaType": layer.get("mediaType", oci.OCI_LAYER + "+gzip"), "digest": oci.digest_of(seed.encode()), "size": layer["size"]})
            diff_ids.append(oci.digest_of(b"diff " + seed.encode()))
        config = {"os": os_name, "architecture": architecture, **made.get("config", {}), "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        if "created" in config:
            config["created"] = time_of(config["created"])
        data = oci.to_json(config)
        self.server.add_blob(name, data)
        manifest = {"schemaVersion": 2, "mediaType": oci.OCI_MANIFEST,
                    "config": {"mediaType": oci.OCI_CONFIG, "digest": oci.digest_of(data), "size": len(data)},
                    "layers": layers, "annotations": made.get("annotations", {})}
        data = oci.to_json(manifest)
        self.server.add_manifest(name, data, oci.OCI_MANIFEST, tag or "latest")
        return {"mediaType": oci.OCI_MANIFEST, "digest": oci.digest_of(data), "size": len(data)}

    @staticmethod
    def _report(directory, digest, item):
        item = {**item, "digest": digest}
        if "scannedAt" in item:
            item["scannedAt"] = time_of(item["scannedAt"])
        report = {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "ImageVerdicts", "items": [item]}
        (directory / (digest.replace(":", "-") + ".json")).write_text(json.dumps(report))

    def close(self):
        self.server.__exit__(None, None, None)
        self.directory.cleanup()
