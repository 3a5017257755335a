{{/* The parts of a serving pod: arguments, environment, files. */}}

{{- define "plimsoll.serverArgs" -}}
{{- $server := .Values.server -}}
- serve
- --mode={{ .Values.mode }}
- --cert=/etc/plimsoll/tls/tls.crt
- --key=/etc/plimsoll/tls/tls.key
- --listen={{ $server.listenAddress }}:{{ $server.port }}
- --health-listen={{ $server.listenAddress }}:{{ $server.healthPort }}
- --policies={{ .Values.policies.source }}
{{- if .Values.policies.documents }}
- --policy=/etc/plimsoll/policies
{{- end }}
{{- if .Values.registries.config }}
- --registries=/etc/plimsoll/registries/registries.yaml
{{- end }}
{{- range .Values.registries.pullSecretNamespaces }}
- --pull-secrets={{ . }}
{{- end }}
{{- if .Values.scanReports }}
- --scan-reports=/etc/plimsoll/scan-reports
{{- end }}
- --registry-rate={{ .Values.registries.rate }}
- --facts-budget={{ .Values.registries.factsBudget }}
- --shutdown-delay={{ $server.shutdownDelaySeconds }}s
- --drain-timeout={{ $server.drainTimeoutSeconds }}s
- --max-body={{ $server.limits.maxBody }}
- --body-budget={{ $server.limits.bodyBudget }}
- --max-connections={{ int $server.limits.maxConnections }}
- --max-in-flight={{ int $server.limits.maxInFlight }}
- --threads={{ $server.limits.threads }}
- --on-timeout={{ $server.onTimeout }}
- --on-limit={{ $server.onLimit }}
- --malformed={{ $server.malformed }}
{{- range $server.controllerUsers }}
- {{ printf "--controller-user=%s" . | quote }}
{{- end }}
{{- if $server.clientCertificates.authoritiesConfigMap }}
- --client-ca=/etc/plimsoll/client-authorities/ca.crt
{{- range $server.clientCertificates.names }}
- {{ printf "--client-name=%s" . | quote }}
{{- end }}
{{- end }}
- --log-level={{ $server.logLevel }}
{{- with $server.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "plimsoll.serverEnv" -}}
{{- with .Values.proxy.https }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with .Values.proxy.http }}
- name: HTTP_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with .Values.proxy.exceptions }}
- name: NO_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with .Values.server.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "plimsoll.serverMounts" -}}
- name: tls
  mountPath: /etc/plimsoll/tls
  readOnly: true
{{- if include "plimsoll.followsCluster" . }}
{{ include "plimsoll.tokenMount" . }}
{{- end }}
{{- if .Values.policies.documents }}
- name: policies
  mountPath: /etc/plimsoll/policies
  readOnly: true
{{- end }}
{{- if .Values.registries.config }}
- name: registries
  mountPath: /etc/plimsoll/registries
  readOnly: true
{{- end }}
{{- if .Values.registries.credentialsSecret }}
- name: credentials
  mountPath: /etc/plimsoll/credentials
  readOnly: true
{{- end }}
{{- if .Values.registries.authoritiesConfigMap }}
- name: authorities
  mountPath: /etc/plimsoll/authorities
  readOnly: true
{{- end }}
{{- if .Values.scanReports }}
- name: scan-reports
  mountPath: /etc/plimsoll/scan-reports
  readOnly: true
{{- end }}
{{- if .Values.server.clientCertificates.authoritiesConfigMap }}
- name: client-authorities
  mountPath: /etc/plimsoll/client-authorities
  readOnly: true
{{- end }}
{{- with .Values.server.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "plimsoll.serverVolumes" -}}
{{- /* Certificate and key alone: the authority's key is in the same Secret. A pod waits until both are there. */ -}}
- name: tls
  secret:
    secretName: {{ include "plimsoll.secret" . }}
    defaultMode: 0440
    items:
      - key: tls.crt
        path: tls.crt
      - key: tls.key
        path: tls.key
{{- if include "plimsoll.followsCluster" . }}
{{ include "plimsoll.tokenVolume" . }}
{{- end }}
{{- if .Values.policies.documents }}
- name: policies
  configMap:
    name: {{ include "plimsoll.fullname" . }}-policies
{{- end }}
{{- if .Values.registries.config }}
- name: registries
  configMap:
    name: {{ include "plimsoll.fullname" . }}-registries
{{- end }}
{{- with .Values.registries.credentialsSecret }}
- name: credentials
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: .dockerconfigjson
        path: config.json
{{- end }}
{{- with .Values.registries.authoritiesConfigMap }}
- name: authorities
  configMap:
    name: {{ . }}
{{- end }}
{{- with .Values.scanReports }}
- name: scan-reports
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.server.clientCertificates.authoritiesConfigMap }}
- name: client-authorities
  configMap:
    name: {{ . }}
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- with .Values.server.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What ConfigMaps of ours give to it. */}}
{{- define "plimsoll.serverFiles" -}}
{{- include "plimsoll.policyFiles" . }}
{{- include "plimsoll.registryFile" . }}
{{- end }}

{{- define "plimsoll.policyFiles" -}}
{{- range $name, $spec := .Values.policies.documents }}
{{ $name }}.yaml: |
  apiVersion: plimsoll.dev/v1alpha1
  kind: HygienePolicy
  metadata:
    name: {{ $name }}
  spec:
    {{- toYaml $spec | nindent 4 }}
{{- end }}
{{- end }}

{{- define "plimsoll.registryFile" -}}
{{- with .Values.registries.config }}
registries.yaml: |
  apiVersion: plimsoll.dev/v1alpha1
  kind: RegistryConfig
  spec:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}
