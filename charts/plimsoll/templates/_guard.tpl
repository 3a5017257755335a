{{/* Values that cannot be meant: each is refused with what to do. The schema refuses what is wrong by itself. */}}
{{- define "plimsoll.guard" -}}
{{- $values := .Values -}}
{{- $system := list "kube-system" "kube-node-lease" "kube-public" -}}
{{- if has .Release.Namespace $system -}}
{{- fail (printf "namespace %s: plimsoll is not installed beside the control plane, since nothing is judged in its own namespace; use --namespace plimsoll-system --create-namespace" .Release.Namespace) -}}
{{- end -}}
{{- $never := include "plimsoll.neverJudged" . | fromJsonArray -}}
{{- range $values.failClosed.namespaces -}}
{{- if has . $never -}}
{{- fail (printf "failClosed.namespaces: %s is exempt, so that the cluster and plimsoll itself can start; remove it here%s" . (ternary " or from exemptNamespaces" "" (has . $values.exemptNamespaces))) -}}
{{- end -}}
{{- end -}}
{{- if and $values.failClosed.namespaces (lt (int $values.server.replicas) 2) -}}
{{- fail "failClosed.namespaces: with server.replicas 1 each restart of plimsoll would refuse everything there; use 2 or more" -}}
{{- end -}}
{{- if and $values.metrics.serviceMonitor.enabled $values.metrics.podMonitor.enabled -}}
{{- fail "metrics.serviceMonitor.enabled and metrics.podMonitor.enabled: every figure would be there twice; use one of them" -}}
{{- end -}}
{{- if and (eq $values.certificates.mode "existing") (not $values.certificates.existingSecret) -}}
{{- fail "certificates.existingSecret: certificates.mode existing needs the name of a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- if and (ne $values.certificates.mode "existing") $values.certificates.existingSecret -}}
{{- fail (printf "certificates.existingSecret: certificates.mode %s would not use it; set certificates.mode to existing" $values.certificates.mode) -}}
{{- end -}}
{{- if and (ne $values.certificates.mode "cert-manager") $values.certificates.issuerRef -}}
{{- fail (printf "certificates.issuerRef: certificates.mode %s would not use it; set certificates.mode to cert-manager" $values.certificates.mode) -}}
{{- end -}}
{{- if le (include "plimsoll.milliseconds" $values.certificates.authorityLife | int64) (include "plimsoll.milliseconds" $values.certificates.servingLife | int64) -}}
{{- fail "certificates.servingLife: it must be shorter than certificates.authorityLife" -}}
{{- end -}}
{{- if eq (int $values.server.port) (int $values.server.healthPort) -}}
{{- fail "server.port and server.healthPort: they must differ" -}}
{{- end -}}
{{- if and $values.server.hostNetwork (eq (int $values.server.port) 10250) -}}
{{- fail "server.port: 10250 is the kubelet's own port on a node; with server.hostNetwork use another, such as 10260" -}}
{{- end -}}
{{- if and $values.server.clientCertificates.names (not $values.server.clientCertificates.authoritiesConfigMap) -}}
{{- fail "server.clientCertificates.names: without server.clientCertificates.authoritiesConfigMap nobody is asked for a certificate; name the ConfigMap with ca.crt" -}}
{{- end -}}
{{- if ge (int $values.server.shutdownDelaySeconds) (int $values.server.drainTimeoutSeconds) -}}
{{- fail "server.shutdownDelaySeconds: it must be shorter than server.drainTimeoutSeconds" -}}
{{- end -}}
{{- if and $values.registries.pullSecretNamespaces (ne $values.policies.source "cluster") -}}
{{- fail "registries.pullSecretNamespaces: with policies.source files plimsoll cannot read pull secrets; set policies.source to cluster" -}}
{{- end -}}
{{- if and $values.metrics.dashboard.operator.enabled (not $values.metrics.dashboard.enabled) -}}
{{- fail "metrics.dashboard.operator.enabled: it shows what the ConfigMap has; set metrics.dashboard.enabled to true as well" -}}
{{- end -}}
{{- range $values.metrics.alerts.disabled -}}
{{- if not (has . (include "plimsoll.alertNames" $ | fromJsonArray)) -}}
{{- fail (printf "metrics.alerts.disabled: there is no alert %s; there are %s" . (include "plimsoll.alertNames" $ | fromJsonArray | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A life or a time, such as 90d. */}}
{{- define "plimsoll.milliseconds" -}}
{{- mul (regexFind "^[0-9]+" . | int64) (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000) (regexFind "[a-z]+$" .)) -}}
{{- end }}
