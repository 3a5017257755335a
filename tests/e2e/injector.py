"""Another webhook of the cluster, on the node's address: it adds a container to pods when they are created, as service meshes do."""
import base64
import http.server
import json
import ssl
import threading

from control_plane import free_port
from sandbox import NODE_ADDRESS

NAME, LABEL = "injector", "injected"
SIDECAR = {"name": "mesh", "image": "localhost/team/app:latest", "imagePullPolicy": "IfNotPresent"}
ENDING = {**SIDECAR, "args": ["true"]}  # in pods that do their work and end
PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        lasting = request["object"]["spec"].get("restartPolicy", "Always") == "Always"
        patch = json.dumps([{"op": "add", "path": "/spec/containers/-", "value": SIDECAR if lasting else ENDING}]).encode()
        body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
            "uid": request["uid"], "allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.asked += 1

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, asked = True, 0


class Injector:
    """For namespaces with the label `injected`; failurePolicy Fail, so that no pod gets by without."""

    def __init__(self, node):
        self.node = node
        certificate, key = node.authority.issue(NAME, f"/CN={NAME}", f"IP:{NODE_ADDRESS}")
        self.server = Server((NODE_ADDRESS, free_port()), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def register(self):
        self.node.create(PATH, {"metadata": {"name": NAME}, "webhooks": [{
            "name": "injector.tests.example", "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "namespaceSelector": {"matchLabels": {LABEL: "yes"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"], "scope": "Namespaced"}],
            "clientConfig": {"url": f"https://{NODE_ADDRESS}:{self.server.server_address[1]}/inject",
                             "caBundle": self.node.ca_bundle(self.node.authority.certificate)}}]})

    def end(self):
        self.node.kubectl("delete", "mutatingwebhookconfiguration", NAME, "--ignore-not-found")
        self.server.shutdown()
        self.server.server_close()
