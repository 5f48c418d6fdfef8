{{- /*
The command of the Vault container. The configuration may name things that are only known in the pod;
they are filled in, in a copy. Takes the chart's scope.
*/}}
{{- define "vault.start" -}}
config=/tmp/storageconfig.hcl
cp /vault/config/extraconfig-from-values.hcl "$config"
for name in HOST_IP POD_IP HOSTNAME API_ADDR TRANSIT_ADDR RAFT_ADDR; do
  eval "value=\${$name:-}"
  if [ -n "$value" ]; then sed -Ei "s|$name|$value|g" "$config"; fi
done
/usr/local/bin/docker-entrypoint.sh vault server -config="$config" {{ .Values.server.extraArgs }}
{{- end }}

{{- /* Environment of the Vault container. Later variables may use earlier ones as $(NAME). */}}
{{- define "vault.env" -}}
{{- $ha := .Values.server.ha }}
{{- $internal := printf "%s-internal" (include "vault.fullname" .) }}
{{- $ofPod := list (list "HOST_IP" "status.hostIP") (list "POD_IP" "status.podIP") (list "VAULT_K8S_POD_NAME" "metadata.name") (list "VAULT_K8S_NAMESPACE" "metadata.namespace") }}
{{- range $ofPod }}
{{ include "vault.envOfPod" . }}
{{- end }}
- name: VAULT_ADDR
  value: {{ include "vault.scheme" . }}://127.0.0.1:8200
- name: VAULT_API_ADDR
  value: {{ $ha.apiAddr | default (printf "%s://$(POD_IP):8200" (include "vault.scheme" .)) }}
# The image's start script has no right to do these two, and no need to.
- name: SKIP_CHOWN
  value: "true"
- name: SKIP_SETCAP
  value: "true"
{{ include "vault.envOfPod" (list "HOSTNAME" "metadata.name") }}
- name: VAULT_CLUSTER_ADDR
  value: {{ $ha.clusterAddr | default (printf "https://$(HOSTNAME).%s:8201" $internal) }}
{{- if $ha.raft.setNodeId }}
{{ include "vault.envOfPod" (list "VAULT_RAFT_NODE_ID" "metadata.name") }}
{{- end }}
- name: HOME
  value: /home/vault
{{- with .Values.server.logLevel }}
- name: VAULT_LOG_LEVEL
  value: {{ . }}
{{- end }}
{{- with .Values.server.logFormat }}
- name: VAULT_LOG_FORMAT
  value: {{ . }}
{{- end }}
{{- range $name, $value := .Values.server.extraEnvironmentVars }}
- name: {{ $name | quote }}
  value: {{ toString $value | quote }}
{{- end }}
{{- range .Values.server.extraSecretEnvironmentVars }}
- name: {{ .envName }}
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .secretKey }}
{{- end }}
{{- end }}

{{- define "vault.envOfPod" -}}
- name: {{ first . }}
  valueFrom:
    fieldRef:
      fieldPath: {{ last . }}
{{- end }}

{{- /* Takes a list: the chart's scope, the probe's values, the command to use without a path (may be empty). */}}
{{- define "vault.probe" -}}
{{- $probe := index . 1 }}
{{- $command := index . 2 }}
{{- if $command }}
exec:
  command:
    {{- toYaml $command | nindent 4 }}
{{- else }}
httpGet:
  path: {{ $probe.path | quote }}
  port: {{ $probe.port }}
  scheme: {{ include "vault.scheme" (first .) | upper }}
{{- end }}
{{ pick $probe "failureThreshold" "initialDelaySeconds" "periodSeconds" "successThreshold" "timeoutSeconds" | toYaml }}
{{- end }}

{{- /* Takes a list: the chart's scope, the claim's name, its values. */}}
{{- define "vault.claim" -}}
{{- $storage := last . }}
{{- $scope := first . }}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ index . 1 }}
  {{- with include "vault.maps" (list $scope $storage.annotations) }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with include "vault.maps" (list $scope $storage.labels) }}
  labels:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  accessModes:
    - {{ $storage.accessMode }}
  resources:
    requests:
      storage: {{ $storage.size }}
  {{- with $storage.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
{{- end }}
