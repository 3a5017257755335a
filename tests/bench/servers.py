"""The servers that are measured: plimsoll, the null server, and nginx, each on core 0, over the same TLS."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from ports import free_port  # noqa: E402

NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
user {user};
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_timeout 300s; keepalive_requests 1000000000; tcp_nodelay on;
  client_body_buffer_size 64k; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off; ssl_session_cache off;
    location / {{ default_type application/json; return 200 '{answer}'; }}
  }}
}}
"""
ALLOWED = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
    "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816", "allowed": True}}, separators=(",", ":"))


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "tls.key", "-out",
         folder / "tls.crt"], check=True, capture_output=True)


def wait_for_port(port, process, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.0002)
    raise SystemExit(f"bench: {process.args[0]} did not start (exit code {process.poll()})")


class Server:
    """One running server; a context manager that ends it."""

    def __init__(self, name, command, port, core=0):
        self.name, self.port = name, port
        pinned = ["taskset", "-c", str(core), *map(str, command)] if core is not None else list(map(str, command))
        self.started = time.monotonic()
        self.process = subprocess.Popen(pinned, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(port, self.process)
        self.seconds_to_listening = time.monotonic() - self.started

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def processes(self):
        """The process and its children (nginx's worker)."""
        found = [self.process.pid]
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            found += [int(pid) for pid in (task / "children").read_text().split()]
        return found

    def cpu_seconds(self):
        """Time on a processor of all threads so far, exact to the nanosecond."""
        total = 0
        for pid in self.processes():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def rss_bytes(self):
        total = 0
        for pid in self.processes():
            found = re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
            total += int(found.group(1)) * 1024
        return total


def plimsoll(build, folder, policies=(), core=0, threads=1, flags=()):
    port = free_port()
    command = [build / "plimsoll", "serve", "--cert", folder / "tls.crt", "--key", folder / "tls.key", "--listen",
               f"127.0.0.1:{port}", "--health-listen", "off", "--threads", threads]
    for path in policies:
        command += ["--policy", path]
    return Server("plimsoll", [*command, *flags], port, core)


def null_server(build, folder):
    port = free_port()
    return Server("null", [build / "null_server", f"127.0.0.1:{port}", folder / "tls.crt", folder / "tls.key"], port)


def nginx(folder):
    port = free_port()
    configuration = folder / "nginx.conf"
    user = "root" if os.getuid() == 0 else "nobody"
    configuration.write_text(NGINX.format(folder=folder, port=port, answer=ALLOWED, user=user))
    program = "/usr/sbin/nginx" if os.path.exists("/usr/sbin/nginx") else "nginx"
    return Server("nginx", [program, "-c", configuration, "-p", folder, "-e", "stderr"], port)
