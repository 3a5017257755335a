"""The webhook configuration that sends workloads to plimsoll, and the condition that spares it updates it need not see."""

WEBHOOK = "workloads.plimsoll.dev"  # in denials, and before the slash of the audit annotations

# What a policy may look at: the spec, the template of a PodTemplate (which has no spec), and the labels, because policies select
# by label and compare labels with tags. Annotations, finalizers, owners and managed fields are none of it. A member may be absent
# on either side, and reading an absent one is an error, which would fall under failurePolicy: every reading stands behind has().
EXPRESSION = """
request.operation != 'UPDATE'
|| has(object.spec) != has(oldObject.spec) || (has(object.spec) && object.spec != oldObject.spec)
|| has(object.template) != has(oldObject.template) || (has(object.template) && object.template != oldObject.template)
|| has(object.metadata.labels) != has(oldObject.metadata.labels)
|| (has(object.metadata.labels) && object.metadata.labels != oldObject.metadata.labels)
""".strip()
CHANGES_WHAT_IS_JUDGED = {"name": "changes-what-is-judged", "expression": EXPRESSION}


def rule(group, *resources):
    return {"apiGroups": [group], "apiVersions": ["v1"], "resources": list(resources), "operations": ["CREATE", "UPDATE"],
            "scope": "Namespaced"}


RULES = [
    rule("", "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates"),
    rule("apps", "deployments", "statefulsets", "daemonsets", "replicasets"),
    rule("batch", "jobs", "cronjobs"),
]


def client_config(target, ca_bundle):
    """`target`: an https:// URL, or a Service as {"namespace", "name", "path", "port"}."""
    return {"url" if isinstance(target, str) else "service": target, "caBundle": ca_bundle}


def namespace_selector(own_namespace, namespace_labels):
    """Everywhere but where a refusal could keep the cluster or plimsoll itself from starting."""
    never = ["kube-system", "kube-node-lease", own_namespace]
    selector = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": never}]}
    return {**selector, "matchLabels": namespace_labels} if namespace_labels else selector


def webhook_configuration(name, target, ca_bundle, failure_policy="Fail", own_namespace="plimsoll", namespace_labels=None,
                          rules=None, match_conditions=(), timeout_seconds=10):
    """The whole object; `target` as in client_config, `namespace_labels`: only namespaces with these."""
    webhook = {
        "name": WEBHOOK, "clientConfig": client_config(target, ca_bundle), "rules": RULES if rules is None else rules,
        "failurePolicy": failure_policy, "matchPolicy": "Equivalent", "sideEffects": "None", "timeoutSeconds": timeout_seconds,
        "admissionReviewVersions": ["v1"], "namespaceSelector": namespace_selector(own_namespace, namespace_labels)}
    if match_conditions:
        webhook["matchConditions"] = list(match_conditions)
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name},
            "webhooks": [webhook]}
