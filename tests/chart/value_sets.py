"""The sets of values that everything which always holds is looked at with: name -> (profiles, values)."""
from chart import leaves, merged, render, values_of_chart
from effects import APART, DIGEST, EFFECTS, EXTRA_BOX, PEER, POD_MONITORS, ROLLOUTS, everything

KEYS = {value.path: keys for keys, value in leaves(values_of_chart())}
CLOSED = {"failClosed": {"namespaces": ["bank", "till"]}}
WATCHED = {"metrics": {"serviceMonitor": {"enabled": True}, "alerts": {"enabled": True},
                       "dashboard": {"enabled": True, "operator": {"enabled": True}}}}
ASKING = {"flowSchema": {"enabled": True}, "criticalPodsQuota": {"enabled": True}, "rbac": {"aggregateExceptionsToAdmin": True},
          "registries": {"pullSecretNamespaces": ["shop", "bank"], "credentialsSecret": "logins", "authoritiesConfigMap": "roots",
                         "config": {"registries": [{"host": "registry.example.com"}]}},
          "scanReports": {"configMap": {"name": "reports"}}, "webhook": {"extraRules": [ROLLOUTS]},
          "server": {"extraContainers": [EXTRA_BOX],
                     "clientCertificates": {"authoritiesConfigMap": "callers", "names": ["kube-apiserver"]}},
          "image": {"registry": "registry.example.com", "digest": DIGEST}, "imagePullSecrets": ["pull"], "crds": {"keep": False}}
NARROW = {"networkPolicy": {"apiServerPeers": [PEER], "metricsPeers": [PEER],
                            "egress": {"apiServerPeers": [PEER], "registryPorts": [5000]}}}

SETS = {
    "default": ((), {}),
    "audit": (("audit",), {}),
    "enforce": (("enforce",), {}),
    "strict": (("strict",), {}),
    "highly available": (("enforce", "ha"), {}),
    "fail closed": (("enforce",), merged(CLOSED, {"exemptNamespaces": ["lab"]})),
    "watched": (("audit",), merged(WATCHED, CLOSED)),
    "pod monitor": ((), POD_MONITORS),
    "asking": (("strict", "ha"), merged(ASKING, CLOSED, WATCHED)),
    "narrow network": (("enforce",), NARROW),
    "no network policy": ((), {"networkPolicy": {"enabled": False}}),
    "files": (("enforce",), {"policies": {"source": "files"}}),
    "cert-manager": (("enforce",), {"certificates": {"mode": "cert-manager"}}),
    "existing": ((), {"certificates": {"mode": "existing", "existingSecret": "own-tls"}}),
    "node network": ((), {"server": {"hostNetwork": True, "port": 10260, "healthPort": 10261}}),
    "other ports": ((), {"server": {"port": 9443, "healthPort": 9090, "listenAddress": "0.0.0.0"}}),
    "slow end": ((), {"server": {"drainTimeoutSeconds": 1800, "shutdownDelaySeconds": 60}, "webhook": {"timeoutSeconds": 5}}),
    "one of each": ((), {"server": {"replicas": 1}, "controller": {"replicas": 1}}),
    "no hooks": (("enforce",), {"cleanup": {"enabled": False}, "verify": {"enabled": False}, "crds": {"install": False},
                                "controller": {"heal": False}}),
    "emergency": (("enforce",), merged(CLOSED, {"emergency": {"disabled": True}})),
    "other names": ((), {"nameOverride": "ship", "fullnameOverride": "keel"}),
    "everything": ((), everything(KEYS, [path for path in EFFECTS if path not in APART])),
}


def rendered(name, *flags, variable="HELM", **more):
    profiles, values = SETS[name]
    return render(values, *flags, variable=variable, profiles=profiles, **more)
