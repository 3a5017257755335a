"""One layer of an image: a sorted tar of what is put in, and its gzip, the same bytes each time."""

import hashlib
import io
import struct
import tarfile
import zlib
from pathlib import PurePosixPath


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def gzip(data):
    """Written by hand, since the header that Python writes depends on its version."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    body = packer.compress(data) + packer.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


class Layer:
    """All of it belongs to root and carries one time; directories are made as they are needed."""

    def __init__(self, time):
        self.time, self.entries = time, {}  # path -> (mode, bytes, None) | (mode, None, target of a link); a directory: (mode, None, None)

    def directory(self, path):
        for parent in [PurePosixPath(path), *PurePosixPath(path).parents]:
            if parent != PurePosixPath("/"):
                self.entries.setdefault(str(parent), (0o755, None, None))

    def file(self, path, data, mode=0o644):
        self.directory(PurePosixPath(path).parent)
        self.entries[path] = (mode, data.encode() if isinstance(data, str) else data, None)

    def link(self, path, target):
        self.directory(PurePosixPath(path).parent)
        self.entries[path] = (0o777, None, target)

    def tar(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path, (mode, data, target) in sorted(self.entries.items()):
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.mode, entry.mtime = mode, self.time
                if target is not None:
                    entry.type, entry.linkname = tarfile.SYMTYPE, target
                elif data is None:
                    entry.type = tarfile.DIRTYPE
                else:
                    entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data or b""))
        return buffer.getvalue()
