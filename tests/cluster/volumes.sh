#!/usr/bin/env bash
# Stands in for a CSI provisioner: each pending PersistentVolumeClaim gets a hostPath PersistentVolume of its size, class and modes.
# Follows a watch; started and stopped by cluster.sh.   usage: volumes.sh KUBECTL KUBECONFIG
set -u
kubectl=$1
config=$2
template='{{.metadata.namespace}}|{{.metadata.name}}|{{.metadata.uid}}|{{or .spec.volumeName "-"}}|{{or .spec.storageClassName ""}}|{{index .spec.accessModes 0}}|{{.spec.resources.requests.storage}}{{"\n"}}'

while :; do
  "$kubectl" --kubeconfig "$config" get persistentvolumeclaims -A --watch -o go-template="$template" 2>/dev/null |
    while IFS='|' read -r ns name uid volume class mode size; do
      [ "$volume" = - ] || continue
      "$kubectl" --kubeconfig "$config" create -f - >/dev/null 2>&1 <<YAML || true
apiVersion: v1
kind: PersistentVolume
metadata: {name: "pv-$uid"}
spec:
  accessModes: [$mode]
  capacity: {storage: "$size"}
  storageClassName: "$class"
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: "/tmp/none/$uid"}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: $ns, name: $name, uid: $uid}
YAML
    done
  sleep 0.5 # the watch ended (the server closes it now and then): open it again
done
