"""The reviews that are measured, as an API server would send them: deterministic, compact JSON.

python3 tests/bench/fixtures.py DIRECTORY writes them.
"""
import hashlib
import json
import pathlib
import sys

PERSON = {"username": "system:serviceaccount:ci:deployer", "uid": "8f3c1c5e-1d8c-4a53-a0f7-3f5e2bb3d7c1",
          "groups": ["system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"]}


def container(index, variables, good=True):
    port = f"http-{index}"
    result = {
        "name": f"part-{index}",
        "image": f"registry.example.com/shop/part-{index}:{'v1.4.' + str(index) if good else 'latest'}",
        "ports": [{"name": port, "containerPort": 8080 + index, "protocol": "TCP"}],
        "env": [{"name": f"SETTING_{number:02d}", "value": f"value-{number}-of-part-{index}"}
                for number in range(variables)],
        "volumeMounts": [{"name": "settings", "mountPath": f"/etc/part-{index}", "readOnly": True}],
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }
    if good:
        result["env"].append({"name": "DB_PASSWORD", "valueFrom": {
            "secretKeyRef": {"name": "shop-db", "key": "password"}}})
        result["livenessProbe"] = {"httpGet": {"path": "/live", "port": port, "scheme": "HTTP"},
                                   "initialDelaySeconds": 10, "periodSeconds": 10, "failureThreshold": 6}
        result["readinessProbe"] = {"httpGet": {"path": "/ready", "port": port, "scheme": "HTTP"},
                                    "periodSeconds": 5, "timeoutSeconds": 2}
        result["resources"] = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
        result["securityContext"] = {"runAsNonRoot": True, "allowPrivilegeEscalation": False,
                                     "capabilities": {"drop": ["ALL"]}}
    else:
        result["env"].append({"name": "DB_PASSWORD", "value": "correct-horse-battery"})
    return result


def pod_spec(containers, variables, good=True, volumes=1):
    return {
        "containers": [container(index, variables, good) for index in range(containers)],
        "volumes": [{"name": "settings" if index == 0 else f"settings-{index}",
                     "configMap": {"name": f"shop-settings-{index}", "defaultMode": 420}}
                    for index in range(volumes)],
        "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "shop", "schedulerName": "default-scheduler", "securityContext": {},
    }


def managed_fields(spec):
    """What field management adds: the shape of the fields again, with keys that name list items."""
    def shape(value):
        if isinstance(value, dict):
            return {f"f:{key}": shape(inner) for key, inner in value.items()}
        if isinstance(value, list) and value and isinstance(value[0], dict) and "name" in value[0]:
            keyed = {}
            for item in value:
                key = json.dumps({"name": item["name"]}, separators=(",", ":"))
                keyed[f"k:{key}"] = {".": {}, **{f"f:{name}": shape(inner) for name, inner in item.items()}}
            return {".": {}, **keyed}
        return {}
    return [{"manager": "helm", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-11-01T09:00:00Z",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": shape(spec)}}]


def metadata(name, labels):
    return {"name": name, "namespace": "shop", "uid": uid(name), "resourceVersion": "48151623", "generation": 4,
            "creationTimestamp": "2026-10-31T08:00:00Z", "labels": labels,
            "annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"}}


def uid(text):
    digits = hashlib.sha256(text.encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def deployment(containers, variables, good=True, replicas=3):
    labels = {"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "shop"}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"creationTimestamp": None, "labels": labels},
                         "spec": pod_spec(containers, variables, good)}}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {**metadata("shop", labels), "managedFields": managed_fields(spec)}, "spec": spec}


def pod(containers, variables, volumes, with_fields):
    labels = {"app.kubernetes.io/name": "shop"}
    spec = pod_spec(containers, variables, volumes=volumes)
    meta = metadata("shop-0", labels)
    if with_fields:
        meta["managedFields"] = managed_fields(spec)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def review(operation, new, old=None):
    core = new["kind"] == "Pod"
    kind = {"group": "" if core else "apps", "version": "v1", "kind": new["kind"]}
    resource = {"group": kind["group"], "version": "v1", "resource": "pods" if core else "deployments"}
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": uid(operation + new["kind"]), "kind": kind, "resource": resource, "requestKind": kind,
        "requestResource": resource, "name": new["metadata"]["name"], "namespace": "shop",
        "operation": operation, "userInfo": PERSON, "object": new, "oldObject": old, "dryRun": False,
        "options": {"kind": f"{operation.title()}Options", "apiVersion": "meta.k8s.io/v1"}}}


def all_fixtures():
    """Name -> review as bytes."""
    usual = deployment(4, 4)
    reviews = {
        "pod-2k": review("CREATE", pod(1, 1, 1, False)),
        "deployment-12k": review("CREATE", usual),
        "careless-12k": review("CREATE", deployment(4, 14, good=False, replicas=1)),
        "update-24k": review("UPDATE", deployment(4, 4, replicas=5), usual),
        "pod-64k": review("CREATE", pod(4, 113, 20, True)),
    }
    return {name: json.dumps(content, separators=(",", ":")).encode() for name, content in reviews.items()}


def write_all(folder):
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {}
    for name, content in all_fixtures().items():
        (folder / f"{name}.json").write_bytes(content)
        sizes[name] = len(content)
    return sizes


if __name__ == "__main__":
    for fixture, size in write_all(pathlib.Path(sys.argv[1])).items():
        print(f"{fixture}.json {size} bytes")
