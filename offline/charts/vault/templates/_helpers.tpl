{{- /* The value of the label app.kubernetes.io/name. */}}
{{- define "vault.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* What the objects' names begin with. */}}
{{- define "vault.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "vault.namespace" -}}
{{ .Values.global.namespace | default .Release.Namespace }}
{{- end }}

{{- define "vault.scheme" -}}
{{ ternary "http" "https" .Values.global.tlsDisable }}
{{- end }}

{{- define "vault.serviceAccount" -}}
{{- $generated := ternary (include "vault.fullname" .) "default" .Values.server.serviceAccount.create }}
{{- .Values.server.serviceAccount.name | default $generated }}
{{- end }}

{{- /* The labels by which the release's own objects are found. */}}
{{- define "vault.selector" -}}
app.kubernetes.io/name: {{ include "vault.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "vault.chartLabel" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "vault.labels" -}}
{{ include "vault.chartLabel" . }}
{{ include "vault.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /*
A value that is YAML already, or a text that is YAML once it has gone through the template engine.
Takes a list: the chart's scope, the value.
*/}}
{{- define "vault.yaml" -}}
{{- $value := last . }}
{{- if kindIs "string" $value }}
{{- tpl $value (first .) }}
{{- else }}
{{- toYaml $value }}
{{- end }}
{{- end }}

{{- /*
Maps laid over each other, as YAML; nothing at all when they are empty.
Takes a list: the chart's scope, then maps as vault.yaml takes them; a later one wins.
*/}}
{{- define "vault.maps" -}}
{{- $scope := first . }}
{{- $all := dict }}
{{- range rest . }}
{{- if . }}
{{- $text := include "vault.yaml" (list $scope .) }}
{{- $map := fromYaml $text }}
{{- with get $map "Error" }}
{{- fail (printf "this text is not a map in YAML (%s):\n%s" . $text) }}
{{- end }}
{{- $all = mergeOverwrite $all $map }}
{{- end }}
{{- end }}
{{- if $all }}
{{- toYaml $all }}
{{- end }}
{{- end }}

{{- /* Vault's configuration. Vault 1.20 and newer insist on disable_mlock with integrated storage. */}}
{{- define "vault.config" -}}
{{- $config := tpl .Values.server.ha.raft.config . | trim }}
{{- if not (regexMatch `(?m)^\s*disable_mlock\s*=` $config) }}
{{- $config = printf "%s\n\ndisable_mlock = true" $config }}
{{- end }}
{{- $config }}
{{- end }}

{{- define "vault.configChecksum" -}}
{{- if .Values.server.includeConfigAnnotation -}}
vault.hashicorp.com/config-checksum: {{ include "vault.config" . | sha256sum }}
{{- end }}
{{- end }}
