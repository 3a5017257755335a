{{/* The alerts: each has a heading of its name, in lower case, in docs/operations.md. The API server's own metrics are
used where only it can know. */}}
{{- define "plimsoll.alerts" -}}
{{- $here := printf "namespace=%q" .Release.Namespace -}}
- alert: PlimsollDown
  expr: absent(plimsoll_certificate_days_left{ {{- $here -}} })
  for: 2m
  severity: critical
  summary: No replica of plimsoll answers
- alert: PlimsollNotAsked
  expr: sum(rate(apiserver_admission_webhook_fail_open_count{name=~".*workloads\\.plimsoll\\.dev"}[5m])) > 0
  for: 1m
  severity: critical
  summary: Objects are admitted without having been judged
- alert: PlimsollRefusesUnseen
  expr: sum(rate(apiserver_admission_webhook_rejection_count{name="fail-closed.workloads.plimsoll.dev", error_type=~"calling_webhook_error|apiserver_internal_error"}[5m])) > 0
  for: 1m
  severity: critical
  summary: Objects are refused because plimsoll could not be asked
- alert: PlimsollWebhookConfigurationWrong
  expr: (plimsoll_webhook_configuration_ok{ {{- $here -}} } == 0) and on (namespace, pod) (plimsoll_controller_leads{ {{- $here -}} } == 1)
  for: 5m
  severity: critical
  summary: The webhook configuration is not as it was installed
- alert: PlimsollNobodyLeads
  expr: sum(plimsoll_controller_leads{ {{- $here -}} }) < 1 or absent(plimsoll_controller_leads{ {{- $here -}} })
  for: 5m
  severity: warning
  summary: No controller of plimsoll leads, so that certificates are not renewed
- alert: PlimsollCertificateEnds
  expr: min(plimsoll_certificate_days_left{ {{- $here -}} }) < 7
  for: 10m
  severity: warning
  summary: The serving certificate ends within a week and should have been renewed
- alert: PlimsollPolicyRefused
  expr: max(plimsoll_policies_refused{ {{- $here -}} }) > 0
  for: 5m
  severity: warning
  summary: A HygienePolicy has a mistake, and what was in force before still is
- alert: PlimsollFileRefused
  expr: increase(plimsoll_policy_reload_failures_total{ {{- $here -}} }[15m]) > 0 or increase(plimsoll_certificate_reload_failures_total{ {{- $here -}} }[15m]) > 0 or increase(plimsoll_client_authorities_reload_failures_total{ {{- $here -}} }[15m]) > 0
  for: 1m
  severity: warning
  summary: A policy file, a certificate or a client authority cannot be used, and the old one is kept
- alert: PlimsollClusterNotFollowed
  expr: max by (pod) (plimsoll_cluster_trouble{ {{- $here -}} }) > 0
  for: 10m
  severity: warning
  summary: A replica cannot follow the cluster and judges by what it knew
- alert: PlimsollSheds
  expr: sum(rate(plimsoll_shed_total{ {{- $here -}} }[5m])) > 0
  for: 5m
  severity: warning
  summary: Reviews are turned away because there are too many at once
- alert: PlimsollConnectionsExhausted
  expr: max by (pod) (plimsoll_connections{ {{- $here -}} }) > {{ mulf .Values.server.limits.maxConnections 0.9 }}
  for: 5m
  severity: warning
  summary: A replica has nearly as many connections as it accepts
- alert: PlimsollSlow
  expr: histogram_quantile(0.99, sum by (le) (rate(plimsoll_review_duration_seconds_bucket{ {{- $here -}} }[5m]))) > {{ divf .Values.webhook.timeoutSeconds 2 }}
  for: 10m
  severity: warning
  summary: One review of a hundred takes more than half of the time that the API server waits
- alert: PlimsollInternalFailures
  expr: sum(increase(plimsoll_internal_failures_total{ {{- $here -}} }[15m])) > 0
  for: 1m
  severity: warning
  summary: A review failed by a fault of plimsoll's own
- alert: PlimsollRegistryAway
  expr: max(plimsoll_registry_breakers_open{ {{- $here -}} }) > 0
  for: 15m
  severity: warning
  summary: A registry does not answer, so that its images are unknown
{{- end }}

{{- define "plimsoll.alertNames" -}}
{{- $names := list -}}
{{- range include "plimsoll.alerts" . | fromYamlArray -}}
{{- $names = append $names .alert -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}
