"""For each value of the chart another one than its default: (value, [(object, path, what then stands there)], with which other values).

A path that ends in "+" leads to a list or a text that has it; THERE and GONE tell of the object as a whole."""
from chart import OWN, app_version, merged, nested

THERE, GONE, UNUSED = "there", "gone", "unused"
SERVER, CONTROLLER = "Deployment/plimsoll", "Deployment/plimsoll-controller"
CLEANUP, VERIFY = "Job/plimsoll-cleanup", "Pod/plimsoll-verify"
HOOK, SERVICE = "ValidatingWebhookConfiguration/plimsoll", "Service/plimsoll"
POD, BOX = "spec template spec", "spec template spec containers 0"
ARGS, ENV = f"{BOX} args +", f"{BOX} env +"
SPECS = ((SERVER, POD), (CONTROLLER, POD), (CLEANUP, POD), (VERIFY, "spec"))
DIGEST = "sha256:" + "5a" * 32
BOXES = f"plimsoll:{app_version()}"
RULES = {"image-tag": {"action": "enforce"}}
PEER = {"ipBlock": {"cidr": "10.1.2.0/28"}}
TOLERATION = {"key": "dedicated", "operator": "Exists"}
SPREAD = {"maxSkew": 2, "topologyKey": "example.com/rack", "whenUnsatisfiable": "DoNotSchedule",
          "labelSelector": {"matchLabels": {"a": "b"}}}
AFFINITY = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
    {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}]}}}
ENVIRONMENT = {"name": "SHIP", "value": "Samuel"}
EXTRA_BOX = {"name": "beside", "image": "example.com/beside:1.0.0",
             "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"memory": "8Mi"}},
             "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True,
                                 "capabilities": {"drop": ["ALL"]}}}
ROLLOUTS = {"apiGroups": ["argoproj.io"], "apiVersions": ["v1alpha1"], "resources": ["rollouts"]}
CONDITION = {"name": "not-by-the-robot", "expression": "request.userInfo.username != 'robot'"}
MONITORS = {"metrics": {"serviceMonitor": {"enabled": True}}}
POD_MONITORS = {"metrics": {"podMonitor": {"enabled": True}}}
ALERTS = {"metrics": {"alerts": {"enabled": True}}}
DASHBOARD = {"metrics": {"dashboard": {"enabled": True}}}
ISSUED = {"certificates": {"mode": "cert-manager"}}
FLOW, QUOTA = {"flowSchema": {"enabled": True}}, {"criticalPodsQuota": {"enabled": True}}


def images(wanted):
    return [(place, f"{spec} containers 0 image", wanted) for place, spec in SPECS]


def pull_secrets(name):
    return [*((place, f"{spec} imagePullSecrets +", {"name": name}) for place, spec in SPECS),
            *((f"ServiceAccount/plimsoll-{part}", "imagePullSecrets +", {"name": name})
              for part in ("serve", "controller", "cleanup", "verify"))]


def argument(flag, value, given=None, place=SERVER):
    return value, [(place, ARGS, f"--{flag}={value}")], given or {}


def everywhere(key, value, what):
    return {key: value}, [(place, f"metadata {what} {key}", value) for place in
                          (SERVER, CONTROLLER, CLEANUP, VERIFY, HOOK, SERVICE, "CustomResourceDefinition/hygienepolicies.plimsoll.dev",
                           "NetworkPolicy/plimsoll-serve", "ClusterRole/plimsoll-serve", "Secret/plimsoll-tls",
                           "PodDisruptionBudget/plimsoll")
                          ] + [(place, f"spec template metadata {what} {key}", value) for place in (SERVER, CONTROLLER)]


def of_pods(part, place):
    """What the two Deployments share."""
    resources = {"cpu": "100m", "memory": "200Mi"}
    return {
        f"{part}.logLevel": argument("log-level", "debug", place=place),
        f"{part}.extraArgs": (["--poll-interval=9s"], [(place, ARGS, "--poll-interval=9s")], {}),
        f"{part}.extraEnv": ([ENVIRONMENT], [(place, ENV, ENVIRONMENT)], {}),
        f"{part}.resources.requests": (resources, [(place, f"{BOX} resources requests", resources)], {}),
        f"{part}.resources.limits": ({"memory": "300Mi"}, [(place, f"{BOX} resources limits memory", "300Mi")], {}),
        f"{part}.priorityClassName": ("urgent", [(place, f"{POD} priorityClassName", "urgent")], {}),
        f"{part}.nodeSelector": ({"disk": "ssd"}, [(place, f"{POD} nodeSelector disk", "ssd")], {}),
        f"{part}.tolerations": ([TOLERATION], [(place, f"{POD} tolerations", [TOLERATION])], {}),
        f"{part}.affinity": (AFFINITY, [(place, f"{POD} affinity", AFFINITY)], {}),
        f"{part}.topologySpreadConstraints": ([SPREAD], [(place, f"{POD} topologySpreadConstraints", [SPREAD])], {}),
        f"{part}.podLabels": ({"team": "hull"}, [(place, "spec template metadata labels team", "hull")], {}),
        f"{part}.podAnnotations": ({"note": "keep dry"}, [(place, "spec template metadata annotations note", "keep dry")], {}),
    }


GENERAL = {
    "global.imageRegistry": ("mirror.example.com/", images(f"mirror.example.com/{BOXES}"), {"image": {"registry": "other.example.com"}}),
    "global.imagePullSecrets": (["all", {"name": "more"}], pull_secrets("all") + pull_secrets("more"), {}),
    "enabled": (False, UNUSED, {}),
    "nameOverride": ("ship", [("Deployment/plimsoll-ship", "metadata labels app.kubernetes.io/name", "ship"), (SERVER, "", GONE)], {}),
    "fullnameOverride": ("keel", [("Deployment/keel", "", THERE), ("Service/keel", "", THERE), (SERVER, "", GONE)], {}),
    "commonLabels": (*everywhere("team", "hull", "labels"), {}),
    "commonAnnotations": (*everywhere("note", "dry", "annotations"), {}),
    "extraObjects": ([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-{{ .Release.Name }}"}},
                      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'in-{{ .Release.Namespace }}'}"],
                     [("ConfigMap/of-plimsoll", "", THERE), (f"ConfigMap/in-{OWN}", "", THERE)], {}),
    "image.registry": ("registry.example.com/hull", images(f"registry.example.com/hull/{BOXES}"), {}),
    "image.repository": ("ships/plimsoll", images(f"ships/{BOXES}"), {}),
    "image.tag": ("9.8.7", images("plimsoll:9.8.7") + [(SERVER, "metadata labels app.kubernetes.io/version", "9.8.7")], {}),
    "image.digest": (DIGEST, images(f"plimsoll@{DIGEST}"), {}),
    "image.pullPolicy": ("Always", [(place, f"{spec} containers 0 imagePullPolicy", "Always") for place, spec in SPECS], {}),
    "imagePullSecrets": ([{"name": "own"}], pull_secrets("own"), {}),
    "mode": argument("mode", "enforce"),
    "policies.source": ("files", [(SERVER, ARGS, "--policies=files"), (CONTROLLER, ARGS, "--policies=files"),
                                  (SERVER, f"{POD} serviceAccountName", None),
                                  ("ServiceAccount/plimsoll-serve", "", GONE), ("ClusterRole/plimsoll-serve", "", GONE)], {}),
    "policies.documents": ({"deck": {"rules": RULES}}, [
        ("ConfigMap/plimsoll-policies", "data deck.yaml +", "kind: HygienePolicy"),
        ("ConfigMap/plimsoll-policies", "data deck.yaml +", "image-tag:"),
        (SERVER, ARGS, "--policy=/etc/plimsoll/policies"),
        (SERVER, f"{BOX} volumeMounts +", {"name": "policies", "mountPath": "/etc/plimsoll/policies", "readOnly": True}),
        (SERVER, f"{POD} volumes +", {"name": "policies", "configMap": {"name": "plimsoll-policies"}})], {}),
    "failClosed.namespaces": (["bank"],
                              [(HOOK, "webhooks 1 failurePolicy", "Fail"),
                               (HOOK, "webhooks 1 namespaceSelector matchExpressions 0 values", ["bank"]),
                               (HOOK, "webhooks 0 namespaceSelector matchExpressions 0 values +", "bank")], {}),
    "exemptNamespaces": (["lab"], [(HOOK, "webhooks 0 namespaceSelector matchExpressions 0 values +", "lab")], {}),
    "emergency.disabled": (True, [(HOOK, "", GONE), ("ConfigMap/plimsoll-webhook", "", GONE), (SERVER, "", THERE)], {}),
}

WEBHOOK = {
    "webhook.timeoutSeconds": (7, [(HOOK, f"webhooks {number} timeoutSeconds", 7) for number in (0, 1, 2)],
                               {"failClosed": {"namespaces": ["bank"]}}),
    "webhook.namespaceSelector": ({"matchLabels": {"judged": "yes"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]},
                                  [(HOOK, "webhooks 0 namespaceSelector matchLabels judged", "yes"),
                                   (HOOK, "webhooks 0 namespaceSelector matchExpressions 1", {"key": "tier", "operator": "Exists"})], {}),
    "webhook.objectSelector": ({"matchLabels": {"judged": "yes"}}, [(HOOK, "webhooks 0 objectSelector matchLabels judged", "yes")], {}),
    "webhook.matchConditions": ([CONDITION], [(HOOK, "webhooks 0 matchConditions +", CONDITION)], {}),
    "webhook.extraRules": ([ROLLOUTS],
                           [(HOOK, "webhooks 0 rules +", {**ROLLOUTS, "operations": ["CREATE", "UPDATE"], "scope": "Namespaced"})], {}),
    "webhook.annotations.admissions.enforcer/disabled": ("false", [(HOOK, "metadata annotations admissions.enforcer/disabled", "false")],
                                                         {}),
    "certificates.mode": ("cert-manager", [("Certificate/plimsoll", "spec secretName", "plimsoll-tls"),
                                           ("Issuer/plimsoll", "spec ca secretName", "plimsoll-authority"),
                                           ("Certificate/plimsoll-authority", "spec isCA", True),
                                           ("Issuer/plimsoll-self-signed", "spec selfSigned", {}),
                                           (HOOK, "metadata annotations cert-manager.io/inject-ca-from", f"{OWN}/plimsoll"),
                                           (CONTROLLER, ARGS, "--certificates=cert-manager"), ("Secret/plimsoll-tls", "", GONE)], {}),
    "certificates.existingSecret": ("own-tls", [(SERVER, f"{POD} volumes 0 secret secretName", "own-tls"),
                                                (CONTROLLER, ARGS, "--secret=own-tls"),
                                                ("Role/plimsoll-controller", "rules 0 resourceNames", ["own-tls"])],
                                    {"certificates": {"mode": "existing", "existingSecret": "another"}}),
    "certificates.authorityLife": argument("authority-life", "730d", place=CONTROLLER),
    "certificates.servingLife": argument("serving-life", "30d", place=CONTROLLER),
    "certificates.trustDelay": argument("trust-delay", "5m", place=CONTROLLER),
    "certificates.issuerRef": ({"name": "house", "kind": "ClusterIssuer"}, [
        ("Certificate/plimsoll", "spec issuerRef", {"name": "house", "kind": "ClusterIssuer"}), ("Issuer/plimsoll", "", GONE),
        ("Certificate/plimsoll-authority", "", GONE)], ISSUED),
    "registries.config": ({"registries": [{"host": "registry.example.com"}]}, [
        ("ConfigMap/plimsoll-registries", "data registries.yaml +", "host: registry.example.com"),
        (SERVER, ARGS, "--registries=/etc/plimsoll/registries/registries.yaml")], {}),
    "registries.credentialsSecret": ("logins", [(SERVER, f"{POD} volumes +", {"name": "credentials", "secret": {
        "secretName": "logins", "defaultMode": 0o440, "items": [{"key": ".dockerconfigjson", "path": "config.json"}]}})], {}),
    "registries.authoritiesConfigMap": ("roots", [(SERVER, f"{POD} volumes +", {"name": "authorities", "configMap": {"name": "roots"}})],
                                        {}),
    "registries.pullSecretNamespaces": (["shop"],
                                        [(SERVER, ARGS, "--pull-secrets=shop"),
                                         ("RoleBinding/plimsoll-pull-secrets", "metadata namespace", "shop"),
                                         ("ClusterRole/plimsoll-pull-secrets", "", THERE)], {}),
    "registries.rate": argument("registry-rate", 7.5),
    "registries.factsBudget": argument("facts-budget", "900ms"),
    "scanReports": ({"configMap": {"name": "reports"}}, [(SERVER, ARGS, "--scan-reports=/etc/plimsoll/scan-reports"),
                                                         (SERVER, f"{POD} volumes +",
                                                          {"name": "scan-reports", "configMap": {"name": "reports"}})], {}),
    "proxy.https": ("http://proxy:3128", [(SERVER, ENV, {"name": "HTTPS_PROXY", "value": "http://proxy:3128"})], {}),
    "proxy.http": ("http://proxy:3129", [(SERVER, ENV, {"name": "HTTP_PROXY", "value": "http://proxy:3129"})], {}),
    "proxy.exceptions": (".svc,10.0.0.0/8", [(SERVER, ENV, {"name": "NO_PROXY", "value": ".svc,10.0.0.0/8"})], {}),
}

SERVERS = {
    **of_pods("server", SERVER),
    "server.replicas": (5, [(SERVER, "spec replicas", 5)], {}),
    "server.minReadySeconds": (20, [(SERVER, "spec minReadySeconds", 20)], {}),
    "server.port": (9443, [(SERVER, ARGS, "--listen=[::]:9443"), (SERVER, f"{BOX} ports 0 containerPort", 9443)], {}),
    "server.healthPort": (9090, [(SERVER, ARGS, "--health-listen=[::]:9090"), (SERVER, f"{BOX} ports 1 containerPort", 9090)], {}),
    "server.listenAddress": ("0.0.0.0", [(SERVER, ARGS, "--listen=0.0.0.0:10250"), (SERVER, ARGS, "--health-listen=0.0.0.0:8080"),
                                         (CONTROLLER, ARGS, "--health-listen=0.0.0.0:8080")], {}),
    "server.hostNetwork": (True, [(SERVER, f"{POD} hostNetwork", True), (SERVER, f"{POD} dnsPolicy", "ClusterFirstWithHostNet"),
                                  (SERVER, "spec strategy rollingUpdate", {"maxSurge": 0, "maxUnavailable": 1})],
                           {"server": {"port": 10260}}),
    "server.dnsPolicy": ("None", [(SERVER, f"{POD} dnsPolicy", "None")], {}),
    "server.dnsConfig": ({"nameservers": ["10.0.0.10"]}, [(SERVER, f"{POD} dnsConfig nameservers", ["10.0.0.10"])], {}),
    "server.onTimeout": argument("on-timeout", "allow"),
    "server.onLimit": argument("on-limit", "allow"),
    "server.malformed": argument("malformed", "allow"),
    "server.controllerUsers": (["system:serviceaccount:argo:rollouts"],
                               [(SERVER, ARGS, "--controller-user=system:serviceaccount:argo:rollouts")], {}),
    "server.clientCertificates.authoritiesConfigMap": ("callers", [
        (SERVER, ARGS, "--client-ca=/etc/plimsoll/client-authorities/ca.crt"),
        (SERVER, f"{BOX} volumeMounts +",
         {"name": "client-authorities", "mountPath": "/etc/plimsoll/client-authorities", "readOnly": True}),
        (SERVER, f"{POD} volumes +",
         {"name": "client-authorities", "configMap": {"name": "callers", "items": [{"key": "ca.crt", "path": "ca.crt"}]}})], {}),
    "server.clientCertificates.names": (["kube-apiserver", "second"],
                                        [(SERVER, ARGS, "--client-name=kube-apiserver"), (SERVER, ARGS, "--client-name=second")],
                                        {"server": {"clientCertificates": {"authoritiesConfigMap": "callers"}}}),
    "server.limits.maxBody": argument("max-body", "16Mi"),
    "server.limits.bodyBudget": argument("body-budget", "64Mi"),
    "server.limits.maxConnections": argument("max-connections", 100000),
    "server.limits.maxInFlight": argument("max-in-flight", 64),
    "server.limits.threads": argument("threads", 3),
    "server.shutdownDelaySeconds": (20, [(SERVER, ARGS, "--shutdown-delay=20s")], {}),
    "server.drainTimeoutSeconds": (1800, [(SERVER, ARGS, "--drain-timeout=1800s"), (SERVER, f"{POD} terminationGracePeriodSeconds", 1815)],
                                   {}),
    "server.extraVolumes": ([{"name": "hold", "emptyDir": {}}], [(SERVER, f"{POD} volumes +", {"name": "hold", "emptyDir": {}})], {}),
    "server.extraVolumeMounts": ([{"name": "hold", "mountPath": "/hold"}],
                                 [(SERVER, f"{BOX} volumeMounts +", {"name": "hold", "mountPath": "/hold"})],
                                 {"server": {"extraVolumes": [{"name": "hold", "emptyDir": {}}]}}),
    "server.extraContainers": ([EXTRA_BOX], [(SERVER, f"{POD} containers 1", EXTRA_BOX)], {}),
    "server.extraInitContainers": ([{**EXTRA_BOX, "name": "before"}],
                                   [(SERVER, f"{POD} initContainers 0", {**EXTRA_BOX, "name": "before"})], {}),
    "server.podDisruptionBudget.enabled": (False, [("PodDisruptionBudget/plimsoll", "", GONE)], {}),
    "server.podDisruptionBudget.maxUnavailable": ("34%", [("PodDisruptionBudget/plimsoll", "spec maxUnavailable", "34%")], {}),
    "server.service.annotations": ({"mesh": "off"}, [(SERVICE, "metadata annotations mesh", "off")], {}),
    "server.service.ipFamilyPolicy": ("PreferDualStack", [(SERVICE, "spec ipFamilyPolicy", "PreferDualStack")], {}),
    "server.service.ipFamilies": (["IPv4"], [(SERVICE, "spec ipFamilies", ["IPv4"])], {}),
}

HOUSE = {
    **of_pods("controller", CONTROLLER),
    "controller.replicas": (3, [(CONTROLLER, "spec replicas", 3)], {}),
    "controller.leaseDuration": argument("lease-duration", "30s", place=CONTROLLER),
    "controller.heal": (False, [("ConfigMap/plimsoll-webhook", "", GONE), (HOOK, "", THERE)], {}),
    "cleanup.enabled": (False, [(CLEANUP, "", GONE), ("ServiceAccount/plimsoll-cleanup", "", GONE),
                                ("NetworkPolicy/plimsoll-cleanup", "", GONE)], {}),
    "cleanup.deadlineSeconds": (33, [(CLEANUP, "spec activeDeadlineSeconds", 33)], {}),
    "cleanup.tolerations": ([TOLERATION], [(CLEANUP, f"{POD} tolerations", [TOLERATION]), (VERIFY, "spec tolerations", [TOLERATION])], {}),
    "verify.enabled": (False, [(VERIFY, "", GONE), ("ServiceAccount/plimsoll-verify", "", GONE),
                               ("NetworkPolicy/plimsoll-verify", "", GONE)], {}),
    "crds.install": (False,
                     [(f"CustomResourceDefinition/{name}.plimsoll.dev", "", GONE) for name in ("hygienepolicies", "hygieneexceptions")],
                     {}),
    "crds.keep": (False, [(f"CustomResourceDefinition/{name}.plimsoll.dev", "metadata annotations", None)
                          for name in ("hygienepolicies", "hygieneexceptions")], {}),
    "serviceAccounts.annotations": ({"cloud/role": "reader"},
                                    [(f"ServiceAccount/plimsoll-{part}", "metadata annotations cloud/role", "reader")
                                     for part in ("serve", "controller", "cleanup", "verify")], {}),
    "rbac.aggregateToView": (False, [("ClusterRole/plimsoll-view", "", GONE)], {}),
    "rbac.aggregateExceptionsToAdmin": (True,
                                        [("ClusterRole/plimsoll-exceptions", "metadata labels rbac.authorization.k8s.io/aggregate-to-admin",
                                          "true")], {}),
    "flowSchema.enabled": (True, [("FlowSchema/plimsoll", "", THERE)], {}),
    "flowSchema.matchingPrecedence": (600, [("FlowSchema/plimsoll", "spec matchingPrecedence", 600)], FLOW),
    "flowSchema.priorityLevel": ("system", [("FlowSchema/plimsoll", "spec priorityLevelConfiguration name", "system")], FLOW),
    "criticalPodsQuota.enabled": (True, [("ResourceQuota/plimsoll-critical-pods", "", THERE)], {}),
    "criticalPodsQuota.pods": (12, [("ResourceQuota/plimsoll-critical-pods", "spec hard pods", "12")], QUOTA),
}

NETWORK = {
    "networkPolicy.enabled": (False,
                              [(f"NetworkPolicy/plimsoll-{part}", "", GONE) for part in ("serve", "controller", "cleanup", "verify")], {}),
    "networkPolicy.apiServerPeers": ([PEER], [("NetworkPolicy/plimsoll-serve", "spec ingress 0 from +", PEER)], {}),
    "networkPolicy.metricsPeers": ([PEER], [(f"NetworkPolicy/plimsoll-{part}", f"spec ingress {number} from", [PEER])
                                            for part, number in (("serve", 1), ("controller", 0))], {}),
    "networkPolicy.egress.enabled": (False, [(f"NetworkPolicy/plimsoll-{part}", "spec policyTypes", ["Ingress"])
                                             for part in ("serve", "controller", "cleanup", "verify")], {}),
    "networkPolicy.egress.apiServerPeers": ([PEER], [(f"NetworkPolicy/plimsoll-{part}", "spec egress 0 to", [PEER]) for part in
                                                     ("serve", "controller", "cleanup", "verify")], {}),
    "networkPolicy.egress.apiServerPorts": ([16443],
                                            [("NetworkPolicy/plimsoll-serve", "spec egress 0 ports", [{"port": 16443, "protocol": "TCP"}])],
                                            {}),
    "networkPolicy.egress.registryPorts": ([5000],
                                           [("NetworkPolicy/plimsoll-serve", "spec egress 2 ports", [{"port": 5000, "protocol": "TCP"}])],
                                           {}),
    "networkPolicy.egress.exceptRanges": (["10.9.0.0/16", "fd00::/8"], [
        ("NetworkPolicy/plimsoll-serve", "spec egress 2 to", [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.9.0.0/16"]}},
                                                              {"ipBlock": {"cidr": "::/0", "except": ["fd00::/8"]}}])], {}),
    "networkPolicy.egress.extra": ([{"to": [PEER]}], [(f"NetworkPolicy/plimsoll-{part}", "spec egress +", {"to": [PEER]}) for part in
                                                      ("serve", "controller", "cleanup", "verify")], {}),
}

METRICS = {
    "metrics.interval": ("5s", [("ServiceMonitor/plimsoll", "spec endpoints 0 interval", "5s")], MONITORS),
    "metrics.serviceMonitor.enabled": (True, [("ServiceMonitor/plimsoll", "", THERE), ("Service/plimsoll-metrics", "", THERE)], {}),
    "metrics.serviceMonitor.labels": ({"release": "prometheus"}, [("ServiceMonitor/plimsoll", "metadata labels release", "prometheus")],
                                      MONITORS),
    "metrics.podMonitor.enabled": (True, [("PodMonitor/plimsoll", "", THERE)], {}),
    "metrics.podMonitor.labels": ({"release": "prometheus"}, [("PodMonitor/plimsoll", "metadata labels release", "prometheus")],
                                  POD_MONITORS),
    "metrics.alerts.enabled": (True, [("PrometheusRule/plimsoll", "", THERE)], {}),
    "metrics.alerts.labels": ({"release": "prometheus"}, [("PrometheusRule/plimsoll", "metadata labels release", "prometheus")], ALERTS),
    "metrics.alerts.runbookBase": ("https://wiki.example.com/", [
        ("PrometheusRule/plimsoll", "spec groups 0 rules 0 annotations runbook_url", "https://wiki.example.com/plimsolldown")], ALERTS),
    "metrics.alerts.disabled": (["PlimsollDown"], [("PrometheusRule/plimsoll", "spec groups 0 rules 0 alert", "PlimsollNotAsked")], ALERTS),
    "metrics.dashboard.enabled": (True, [("ConfigMap/plimsoll-dashboard", "", THERE)], {}),
    "metrics.dashboard.labels.grafana_dashboard": ("2", [("ConfigMap/plimsoll-dashboard", "metadata labels grafana_dashboard", "2")],
                                                   DASHBOARD),
    "metrics.dashboard.operator.enabled": (True, [("GrafanaDashboard/plimsoll", "spec configMapRef", {
        "name": "plimsoll-dashboard", "key": "plimsoll.json"})], DASHBOARD),
    "metrics.dashboard.operator.instanceSelector": ({"matchLabels": {"for": "ships"}},
                                                    [("GrafanaDashboard/plimsoll", "spec instanceSelector", {
        "matchLabels": {"for": "ships"}})], {"metrics": {"dashboard": {"enabled": True, "operator": {"enabled": True}}}}),
    "metrics.dashboard.annotations": ({"folder": "ships"}, [("ConfigMap/plimsoll-dashboard", "metadata annotations folder", "ships")],
                                      DASHBOARD),
}

EFFECTS = {**GENERAL, **WEBHOOK, **SERVERS, **HOUSE, **NETWORK, **METRICS}

# What an enumerated value needs beside it.
CHOICES = {("certificates.mode", "existing"): {"certificates": {"existingSecret": "own-tls"}},
           ("server.dnsPolicy", "None"): {"server": {"dnsConfig": {"nameservers": ["10.0.0.10"]}}}}
# What takes so much away, or renames so much, that little is left to compare.
APART = {"enabled", "nameOverride", "fullnameOverride", "emergency.disabled", "crds.install", "networkPolicy.enabled",
         "networkPolicy.egress.enabled", "cleanup.enabled", "verify.enabled", "policies.source", "certificates.mode",
         "certificates.issuerRef", "certificates.existingSecret", "metrics.podMonitor.enabled", "metrics.podMonitor.labels",
         "server.podDisruptionBudget.enabled", "rbac.aggregateToView", "controller.heal", "server.hostNetwork", "metrics.alerts.disabled"}


def everything(keys_of, paths):
    """All these values at once; `keys_of`: path -> keys."""
    made = {}
    for path in paths:
        value, _, given = EFFECTS[path]
        made = merged(made, given, nested(keys_of[path], value))
    return made
