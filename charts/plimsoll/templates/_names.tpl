{{/* Names, labels and images: what every object of the release shares. */}}

{{- define "plimsoll.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "plimsoll.fullname" -}}
{{- $name := include "plimsoll.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "plimsoll.chart" -}}
{{- printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* What selects pods, whatever the version: (dict "root" $ "component" "serve"). */}}
{{- define "plimsoll.selectorLabels" -}}
app.kubernetes.io/name: {{ include "plimsoll.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "plimsoll.version" -}}
{{- .Values.image.tag | default .Chart.AppVersion | trunc 63 | trimAll "-_." -}}
{{- end }}

{{/* "labels" are an object's own, which come before common ones. */}}
{{- define "plimsoll.labels" -}}
{{ include "plimsoll.selectorLabels" . }}
app.kubernetes.io/version: {{ include "plimsoll.version" .root | quote }}
app.kubernetes.io/part-of: {{ include "plimsoll.name" .root }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ include "plimsoll.chart" .root }}
{{- with merge (dict) (.labels | default dict) .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels and annotations below metadata; "labels" and "annotations" are an object's own. */}}
{{- define "plimsoll.metadata" -}}
labels:
  {{- include "plimsoll.labels" . | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "plimsoll.image" -}}
{{- $registry := .Values.global.imageRegistry | default .Values.image.registry -}}
{{- $tag := .Values.image.tag | default (ternary "" .Chart.AppVersion (ne .Values.image.digest "")) -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .Values.image.repository }}
{{- with $tag }}:{{ . }}{{ end }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "plimsoll.imagePullSecrets" -}}
{{- $names := list -}}
{{- range concat .Values.global.imagePullSecrets .Values.imagePullSecrets -}}
{{- $names = append $names (kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name")) -}}
{{- end -}}
{{- range $names | uniq }}
- name: {{ . }}
{{- end }}
{{- end }}

{{- define "plimsoll.secret" -}}
{{- if eq .Values.certificates.mode "existing" -}}
{{- .Values.certificates.existingSecret -}}
{{- else -}}
{{- include "plimsoll.fullname" . }}-tls
{{- end -}}
{{- end }}

{{/* The names of namespaces that are never judged, with those in which failurePolicy is another. */}}
{{- define "plimsoll.neverJudged" -}}
{{- concat (list "kube-system" "kube-node-lease" .Release.Namespace) .Values.exemptNamespaces | uniq | sortAlpha | toJson -}}
{{- end }}

{{- define "plimsoll.followsCluster" -}}
{{- if eq .Values.policies.source "cluster" }}true{{ end -}}
{{- end }}
