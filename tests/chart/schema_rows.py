#!/usr/bin/env python3
"""Every object of Kubernetes' own kinds is valid in each version that the chart is for, with no field that this version does not know."""
import copy
import itertools

from chart import HELMS, documents_of, main, name_of, render, template
from kubernetes_types import VERSIONS, Kubernetes
from value_sets import SETS, rendered

CUSTOM = ("monitoring.coreos.com/", "cert-manager.io/", "grafana.integreatly.org/")
KINDS = ["admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration", "apiextensions.k8s.io/v1 CustomResourceDefinition",
         "apps/v1 Deployment",
         "batch/v1 Job", "coordination.k8s.io/v1 Lease", "networking.k8s.io/v1 NetworkPolicy", "policy/v1 PodDisruptionBudget",
         "rbac.authorization.k8s.io/v1 ClusterRole", "rbac.authorization.k8s.io/v1 ClusterRoleBinding", "rbac.authorization.k8s.io/v1 Role",
         "rbac.authorization.k8s.io/v1 RoleBinding", "v1 ConfigMap", "v1 Pod", "v1 ResourceQuota", "v1 Secret", "v1 Service",
         "v1 ServiceAccount"]
OLD = 28  # in which the FlowSchema of v1 is not served yet


def kinds_of(minor):
    return sorted([*KINDS, f"flowcontrol.apiserver.k8s.io/{'v1beta3' if minor <= OLD else 'v1'} FlowSchema"])


def objects(minor):
    """(value set, object) of all sets, as they are for this version: a FlowSchema is another one in old clusters."""
    for name in SETS:
        versioned = rendered(name, version=f"v1.{minor}.0") if rendered(name).kinds("FlowSchema") else rendered(name)
        for one in versioned.objects:
            if not one["apiVersion"].startswith(CUSTOM):
                yield name, one


def valid(types, minor):
    """The kinds that were looked at, or what is wrong."""
    wrong, seen, known = [], set(), set()
    for name, one in objects(minor):
        seen.add(f"{one['apiVersion']} {one['kind']}")
        if str(one) not in known:
            known.add(str(one))
            wrong += [f"{name}: {name_of(one)}: {fault}" for fault in types[minor].problems(one)]
    return "; ".join(sorted(seen)) if not wrong else "\n            ".join(wrong[:10])


def spoilt(types, minor, name, change):
    """What is said of an object of the default rendering after a change."""
    one = copy.deepcopy(render().one(name))
    change(one)
    return "; ".join(types[minor].problems(one))


def pod(one):
    return one["spec"]["template"]["spec"]


SERVER, SERVICE, HOOK = "Deployment/plimsoll", "Service/plimsoll", "ValidatingWebhookConfiguration/plimsoll"
# minor version, object, change, what is said
FAULTS = [
    (28, SERVER, lambda one: pod(one).update(tolerance=[]), ".spec.template.spec: unknown field tolerance"),
    (28, SERVER, lambda one: pod(one)["containers"][0].update(imagepullPolicy="Never"),
     ".spec.template.spec.containers[0]: unknown field imagepullPolicy"),
    (37, SERVER, lambda one: one["spec"].update(replicas="2"), ".spec.replicas: '2' is no int32"),
    (37, SERVER, lambda one: pod(one).update(terminationGracePeriodSeconds=1.5),
     ".spec.template.spec.terminationGracePeriodSeconds: 1.5 is no int64"),
    (37, SERVER, lambda one: pod(one)["containers"][0]["resources"].update(limits={"memory": "256 Mi"}),
     ".spec.template.spec.containers[0].resources.limits.memory: '256 Mi' is no Quantity"),
    (37, SERVER, lambda one: pod(one)["containers"][0].update(args=[1]), ".spec.template.spec.containers[0].args[0]: 1 is no string"),
    (37, SERVER, lambda one: one["spec"].pop("selector"), ".spec: selector is missing"),
    (37, SERVER, lambda one: pod(one).update(containers=None), ".spec.template.spec: containers is missing"),
    (37, SERVER, lambda one: one["metadata"].update(labels={"app.kubernetes.io/version": 1.0}),
     ".metadata.labels.app.kubernetes.io/version: 1.0 is no string"),
    (37, SERVER, lambda one: pod(one)["volumes"][0].update(configmap={}), ".spec.template.spec.volumes[0]: unknown field configmap"),
    (37, SERVICE, lambda one: one["spec"]["ports"][0].update(targetPort=[]), ".spec.ports[0].targetPort: [] is no IntOrString"),
    (37, SERVICE, lambda one: one["spec"]["ports"][0].update(protocol="Tcp"),
     ".spec.ports[0].protocol: 'Tcp' is none of ['SCTP', 'TCP', 'UDP']"),
    (37, HOOK, lambda one: one["webhooks"][0].pop("sideEffects"), ".webhooks[0]: sideEffects is missing"),
    (37, HOOK, lambda one: one.update(apiVersion="admissionregistration.k8s.io/v2"),
     "no kind ValidatingWebhookConfiguration in admissionregistration.k8s.io/v2"),
    (37, SERVER, lambda one: one.update(kind="Deploymnet"), "no kind Deploymnet in apps/v1"),
    (37, SERVER, lambda one: one.update(apiVersion="apps/v1beta1"), "apps/v1beta1 Deployment is served from 1.6, no more from 1.16"),
    (28, SERVER, lambda one: one.update(apiVersion="flowcontrol.apiserver.k8s.io/v1", kind="FlowSchema"), "no kind FlowSchema in "
     "flowcontrol.apiserver.k8s.io/v1"),
    (32, SERVER, lambda one: one.update(apiVersion="flowcontrol.apiserver.k8s.io/v1beta3", kind="FlowSchema"),
     "flowcontrol.apiserver.k8s.io/v1beta3 "
     "FlowSchema is served from 1.26, no more from 1.32"),
    (28, SERVER, lambda one: pod(one).update(hostnameOverride="x"), ".spec.template.spec: unknown field hostnameOverride"),
]


# as managed clusters name their versions -> what the chart makes of it
NAMES = {"v1.28.15-gke.1503000": "flowcontrol.apiserver.k8s.io/v1beta3", "v1.28.15+k3s1": "flowcontrol.apiserver.k8s.io/v1beta3",
         "v1.29.0-eks-1234abc": "flowcontrol.apiserver.k8s.io/v1", "v1.37.2+rke2r1": "flowcontrol.apiserver.k8s.io/v1",
         "v1.27.16": "refused",
         "v1.27.16-gke.1": "refused"}


def flow_version(version, variable):
    done = template({"flowSchema": {"enabled": True}}, version=version, variable=variable)
    if done.returncode != 0:
        return "refused" if "chart requires kubeVersion: >=1.28.0-0" in done.stderr else done.stderr
    return next(one for one in documents_of()(done.stdout) if one and one["kind"] == "FlowSchema")["apiVersion"]


def rows():
    types = {minor: Kubernetes(minor) for minor in VERSIONS}
    valid_rows = [(minor, f"Kubernetes 1.{minor}, {len(SETS)} value sets", "; ".join(kinds_of(minor)),
                   lambda minor=minor: valid(types, minor))
                  for minor in VERSIONS]
    fault_rows = [(100 + number, f"Kubernetes 1.{minor}, a planted fault", said,
                   lambda minor=minor, name=name, change=change: spoilt(types, minor, name, change))
                  for number, (minor, name, change, said) in enumerate(FAULTS)]
    name_rows = [(number, f"{of}, FlowSchema of a cluster of version {name}", wanted,
                  lambda name=name, variable=variable: flow_version(name, variable))
                 for number, ((name, wanted), (variable, of)) in enumerate(itertools.product(NAMES.items(), HELMS.items()), 200)]
    return valid_rows + fault_rows + name_rows


if __name__ == "__main__":
    main("Kubernetes' schemas", rows)
