{{/* A service account and what it may do: (dict "root" $ "component" "serve" "clusterRules" TEXT "rules" TEXT
"annotations" DICT). "annotations" are those of a hook, for accounts that live no longer than it. */}}
{{- define "plimsoll.account" -}}
{{- $name := printf "%s-%s" (include "plimsoll.fullname" .root) .component -}}
{{- $namespace := .root.Release.Namespace -}}
{{- $accountAnnotations := merge (dict) (.annotations | default dict) .root.Values.serviceAccounts.annotations -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ $namespace }}
  {{- include "plimsoll.metadata" (dict "root" .root "component" .component "annotations" $accountAnnotations) | nindent 2 }}
automountServiceAccountToken: false
{{- with include "plimsoll.imagePullSecrets" .root | trim }}
imagePullSecrets:
  {{- . | nindent 2 }}
{{- end }}
{{- if .clusterRules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}
  {{- include "plimsoll.metadata" . | nindent 2 }}
rules:
  {{- .clusterRules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  {{- include "plimsoll.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ $namespace }}
{{- end }}
{{- if .rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  namespace: {{ $namespace }}
  {{- include "plimsoll.metadata" . | nindent 2 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ $namespace }}
  {{- include "plimsoll.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ $namespace }}
{{- end }}
{{- end }}

{{- define "plimsoll.serverClusterRules" -}}
- apiGroups: [plimsoll.dev]
  resources: [hygienepolicies, hygieneexceptions]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
{{- end }}

{{- define "plimsoll.controllerClusterRules" -}}
{{- if include "plimsoll.followsCluster" . -}}
- apiGroups: [plimsoll.dev]
  resources: [hygienepolicies, hygieneexceptions]
  verbs: [list, watch]
- apiGroups: [plimsoll.dev]
  resources: [hygienepolicies/status, hygieneexceptions/status]
  verbs: [patch]
{{ end -}}
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [{{ include "plimsoll.fullname" . }}]
  {{- /* Nothing is written where cert-manager keeps the caBundle and the rest is not put back. */}}
  {{- $heals := and .Values.controller.heal (not .Values.emergency.disabled) }}
  verbs: {{ ternary "[get, list, watch, patch]" "[get, list, watch]" (or $heals (ne .Values.certificates.mode "cert-manager")) }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "plimsoll.controllerRules" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ include "plimsoll.secret" . }}]
  verbs: {{ ternary "[get, patch]" "[get]" (eq .Values.certificates.mode "self-managed") }}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "plimsoll.fullname" . }}-controller]
  verbs: [get, patch]
{{- end }}

{{- define "plimsoll.cleanupClusterRules" -}}
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [{{ include "plimsoll.fullname" . }}]
  verbs: [delete]
{{- end }}

{{- define "plimsoll.cleanupRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "plimsoll.fullname" . }}-controller]
  verbs: [delete]
{{- end }}

{{- define "plimsoll.verifyClusterRules" -}}
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [{{ include "plimsoll.fullname" . }}]
  verbs: [get]
{{- end }}

{{- define "plimsoll.verifyRules" -}}
- apiGroups: [""]
  resources: [services]
  resourceNames: [{{ include "plimsoll.fullname" . }}]
  verbs: [get]
{{- end }}
