{{/* The webhook configuration: what is installed, and what the controller compares it with. */}}

{{/* What a policy may look at: spec, template, labels. Annotations, finalizers, owners and managed fields are none of
it. A member may be absent on either side, and reading an absent one is an error: every reading stands behind has(). */}}
{{- define "plimsoll.changesWhatIsJudged" -}}
request.operation != 'UPDATE'
|| has(object.spec) != has(oldObject.spec) || (has(object.spec) && object.spec != oldObject.spec)
|| has(object.template) != has(oldObject.template) || (has(object.template) && object.template != oldObject.template)
|| has(object.metadata.labels) != has(oldObject.metadata.labels)
|| (has(object.metadata.labels) && object.metadata.labels != oldObject.metadata.labels)
{{- end }}

{{- define "plimsoll.workloadRules" -}}
- apiGroups: [""]
  apiVersions: [v1]
  resources: [pods, pods/ephemeralcontainers, pods/resize, replicationcontrollers, podtemplates]
  operations: [CREATE, UPDATE]
  scope: Namespaced
- apiGroups: [apps]
  apiVersions: [v1]
  resources: [deployments, statefulsets, daemonsets, replicasets]
  operations: [CREATE, UPDATE]
  scope: Namespaced
- apiGroups: [batch]
  apiVersions: [v1]
  resources: [jobs, cronjobs]
  operations: [CREATE, UPDATE]
  scope: Namespaced
{{- range .Values.webhook.extraRules }}
- apiGroups: {{ toJson .apiGroups }}
  apiVersions: {{ toJson .apiVersions }}
  resources: {{ toJson .resources }}
  operations: [CREATE, UPDATE]
  scope: Namespaced
{{- end }}
{{- end }}

{{- define "plimsoll.clientConfig" -}}
service:
  name: {{ include "plimsoll.fullname" . }}
  namespace: {{ .Release.Namespace }}
  path: /validate
  port: 443
{{- end }}

{{/* One entry about workloads: (dict "root" $ "name" NAME "failurePolicy" POLICY "operator" In|NotIn "namespaces" LIST). */}}
{{- define "plimsoll.workloadEntry" -}}
- name: {{ .name }}
  clientConfig:
    {{- include "plimsoll.clientConfig" .root | nindent 4 }}
  rules:
    {{- include "plimsoll.workloadRules" .root | nindent 4 }}
  failurePolicy: {{ .failurePolicy }}
  matchPolicy: Equivalent
  sideEffects: None
  timeoutSeconds: {{ .root.Values.webhook.timeoutSeconds }}
  admissionReviewVersions: [v1]
  namespaceSelector:
    {{- with .root.Values.webhook.namespaceSelector.matchLabels }}
    matchLabels:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: {{ .operator }}
        values: {{ toJson .namespaces }}
      {{- with .root.Values.webhook.namespaceSelector.matchExpressions }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  {{- with .root.Values.webhook.objectSelector }}
  objectSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  matchConditions:
    - name: changes-what-is-judged
      expression: |-
        {{- include "plimsoll.changesWhatIsJudged" .root | nindent 8 }}
    {{- with .root.Values.webhook.matchConditions }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* Where it may fail open everything is matched but what must not be asked, and what is in the other entry. */}}
{{- define "plimsoll.webhooks" -}}
{{- $never := include "plimsoll.neverJudged" . | fromJsonArray -}}
{{- $closed := .Values.failClosed.namespaces | uniq | sortAlpha -}}
{{ include "plimsoll.workloadEntry" (dict "root" . "name" "workloads.plimsoll.dev" "failurePolicy" "Ignore" "operator" "NotIn" "namespaces" (concat $never $closed | uniq | sortAlpha)) }}
{{- if $closed }}
{{ include "plimsoll.workloadEntry" (dict "root" . "name" "fail-closed.workloads.plimsoll.dev" "failurePolicy" "Fail" "operator" "In" "namespaces" $closed) }}
{{- end }}
{{- if include "plimsoll.followsCluster" . }}
- name: policies.plimsoll.dev
  clientConfig:
    {{- include "plimsoll.clientConfig" . | nindent 4 }}
  rules:
    - apiGroups: [plimsoll.dev]
      apiVersions: [v1alpha1]
      resources: [hygienepolicies]
      operations: [CREATE, UPDATE]
      scope: Cluster
    - apiGroups: [plimsoll.dev]
      apiVersions: [v1alpha1]
      resources: [hygieneexceptions]
      operations: [CREATE, UPDATE]
      scope: Namespaced
  failurePolicy: Ignore
  matchPolicy: Equivalent
  sideEffects: None
  timeoutSeconds: {{ .Values.webhook.timeoutSeconds }}
  admissionReviewVersions: [v1]
{{- end }}
{{- end }}

{{/* The caBundle is never rendered: who keeps the certificates writes it. */}}
{{- define "plimsoll.webhookConfiguration" -}}
{{- $webhooks := include "plimsoll.webhooks" . -}}
{{- $annotations := dict "plimsoll.dev/revision" ($webhooks | sha256sum | trunc 16) -}}
{{- if eq .Values.certificates.mode "cert-manager" -}}
{{- $_ := set $annotations "cert-manager.io/inject-ca-from" (printf "%s/%s" .Release.Namespace (include "plimsoll.fullname" .)) -}}
{{- end -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: {{ include "plimsoll.fullname" . }}
  {{- include "plimsoll.metadata" (dict "root" . "component" "webhook" "annotations" (merge $annotations .Values.webhook.annotations)) | nindent 2 }}
webhooks:
  {{- $webhooks | nindent 2 }}
{{- end }}
