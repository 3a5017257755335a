"""A name server on 127.0.53.1 that knows one name, and counts what it is asked."""

import socket
import struct
import threading

ADDRESS = "127.0.53.1"
A, SUCCESS, NO_SUCH_NAME = 1, 0x8180, 0x8183


class NameServer:
    def __init__(self, name):
        self.name, self.asked = name, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ADDRESS, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, sender = self.socket.recvfrom(512)
                self.socket.sendto(self._answer(question), sender)
            except OSError:
                return

    def _answer(self, question):
        """RFC 1035, section 4: the question again, and 127.0.0.1 where the type is A; an empty answer to AAAA."""
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind = struct.unpack(">H", question[at + 1:at + 3])[0]
        known = ".".join(labels).lower() == self.name
        self.asked += known
        record = b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 5, 4) + socket.inet_aton("127.0.0.1") if known and kind == A else b""
        head = question[:2] + struct.pack(">HHHHH", SUCCESS if known else NO_SUCH_NAME, 1, bool(record), 0, 0)
        return head + question[12:at + 5] + record

    def close(self):
        self.socket.close()
