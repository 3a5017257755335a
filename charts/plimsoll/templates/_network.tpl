{{/* The ranges of one family of addresses: (dict "ranges" LIST "six" BOOL). */}}
{{- define "plimsoll.rangesOf" -}}
{{- $found := list -}}
{{- range .ranges -}}
{{- if eq (contains ":" .) $.six -}}
{{- $found = append $found . -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}
