"""Writes the bill of materials of an image as CycloneDX JSON: the program, each Debian package, each of its files."""

import hashlib
import json
import urllib.parse
import uuid

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://plimsoll.dev/sbom")


def purl(package, release):
    """https://github.com/package-url/purl-spec: the version is quoted, epoch and all."""
    quoted = urllib.parse.quote(package.version, safe=".~-")
    name = urllib.parse.quote(package.name, safe=".-")
    upstream = urllib.parse.quote(f"{package.source}@{package.source_version}", safe=".~-")
    return f"pkg:deb/debian/{name}@{quoted}?arch={package.architecture}&distro=debian-{release}&upstream={upstream}"


def licences(expression):
    simple = " " not in expression
    return [{"license": {"id": expression}}] if simple else [{"expression": expression}]


def file_component(place, data):
    return {"type": "file", "name": place, "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}]}


def package_component(package, release, linkage):
    component = {
        "type": "library", "bom-ref": purl(package, release), "supplier": {"name": "Debian"}, "name": package.name,
        "version": package.version, "scope": "required", "licenses": licences(package.licence), "purl": purl(package, release),
        "properties": [{"name": "plimsoll:linkage", "value": linkage},
                       {"name": "plimsoll:source", "value": f"{package.source} {package.source_version}"}],
    }
    if package.libraries:
        component["components"] = [file_component(library.place, library.path.read_bytes()) for library in package.libraries]
    return component


def dependencies(subject, packages, headers, release):
    """Who needs whom, by the names of libraries that are written in the files."""
    owner = {library.name: purl(package, release) for package in packages for library in package.libraries}
    graph = [{"ref": subject, "dependsOn": sorted(purl(one, release) for one in [*packages, *headers])}]
    for package in packages:
        own = purl(package, release)
        needed = {owner[name] for library in package.libraries for name in library.needs} - {own}
        graph.append({"ref": own, "dependsOn": sorted(needed)})
    return graph


def bill_of_materials(build, packages, headers, program):
    """`packages` are those whose files are in the image, `headers` those that were compiled into the program."""
    subject = f"pkg:oci/plimsoll?tag={build.version}"
    components = [package_component(one, build.release, "dynamic" if one.libraries else "data") for one in packages]
    components += [package_component(one, build.release, "headers") for one in headers]
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": build.created,
            "component": {
                "type": "container", "bom-ref": subject, "name": "plimsoll", "version": build.version, "purl": subject,
                "licenses": licences("Apache-2.0"), "components": [file_component("/usr/bin/plimsoll", program)],
                "properties": [{"name": "plimsoll:revision", "value": build.revision},
                               {"name": "plimsoll:compiler", "value": build.compiler}]},
        },
        "components": components,
        "dependencies": dependencies(subject, packages, headers, build.release),
    }
    content = json.dumps(document, sort_keys=True)
    return json.dumps({"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
                       "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}", **document}, indent=1) + "\n"
