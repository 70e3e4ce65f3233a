{{- define "quota-oracle.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "quota-oracle.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "quota-oracle.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "quota-oracle.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "quota-oracle.selector" -}}
app.kubernetes.io/name: {{ include "quota-oracle.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "quota-oracle.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "quota-oracle.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "quota-oracle.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "quota-oracle.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "quota-oracle.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* The configuration of the values, and the tokens behind it: a table array may stand anywhere. */}}
{{- define "quota-oracle.config" -}}
{{ .Values.config | trim }}
{{- range .Values.tokens }}

[[server.tokens]]
name = {{ .name | toJson }}
token_file = {{ printf "/run/secrets/tokens/%s" .name | toJson }}
scopes = {{ default (list "read") .scopes | toJson }}
{{- with .backends }}
backends = {{ . | toJson }}
{{- end }}
{{- end }}
{{- end }}
