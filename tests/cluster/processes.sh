# shellcheck shell=bash
# The processes of one cluster: how each is started, when it is ready, how it is stopped.
# It never signals a process that it did not start itself.

# The folder of the cluster; the script that reads this file sets it, and then calls load_env.
state=
# Consumers first, so that nobody retries against something that is already gone.
stop_order=(helm-controller kustomize-controller source-controller
  registry-referrers registry-auth registry-unpaged registry-paged kube-apiserver etcd)

load_env() {
  # shellcheck source=/dev/null
  source "$state/env"
}

process_names() {
  local name
  for name in "${stop_order[@]}"; do
    [[ $name == registry-unpaged && -z $REGISTRY_UNPAGED ]] && continue
    [[ $name == *-controller && ${CONTROLLERS:-true} == false ]] && continue
    say "$name"
  done
}

stop_all() {
  local name
  for name in "${stop_order[@]}"; do
    stop "$name"
  done
}

# --- each process, its flags and its readiness ---

answers() { curl -sSf --noproxy '*' --max-time 5 "$@"; }

start_etcd() {
  local client=http://127.0.0.1:$ETCD_PORT peer=http://127.0.0.1:$ETCD_PEER_PORT
  start etcd "$ETCD_PORT" "$(program kubernetes etcd)" --data-dir "$state/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "$client" --advertise-client-urls "$client" --listen-peer-urls "$peer" \
    --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
  await etcd healthy answers "$client/health"
}

start_apiserver() {
  start kube-apiserver "$API_PORT" "$(program kubernetes kube-apiserver)" --etcd-servers "http://127.0.0.1:$ETCD_PORT" \
    --secure-port "$API_PORT" --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --cert-dir "$state/certs" \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$state/sa.pub" \
    --service-account-signing-key-file "$state/sa.key" --authorization-mode RBAC \
    --token-auth-file "$state/tokens.csv" --service-cluster-ip-range 10.0.0.0/24 \
    --disable-admission-plugins ServiceAccount --endpoint-reconciler-type none \
    --shutdown-watch-termination-grace-period 1s
  await kube-apiserver ready api /readyz
}

# shellcheck disable=SC2153
start_registry_paged() { start_distribution registry-paged "$(program registry registry)" "$REGISTRY_PAGED"; }

start_registry_auth() {
  start_distribution registry-auth "$(program registry registry)" \
    "$REGISTRY_AUTH" --user "$REGISTRY_AUTH_USER:$REGISTRY_AUTH_PASSWORD"
}

start_registry_unpaged() { start_distribution registry-unpaged "$(unpaged_registry)" "$REGISTRY_UNPAGED"; }

# start_distribution NAME PROGRAM ADDRESS [CURL OPTIONS]
start_distribution() {
  local name=$1 program=$2 address=$3
  shift 3
  start "$name" "${address#*:}" "$program" serve "$state/config/$name.yaml"
  await "$name" answering answers "$@" "http://$address/v2/"
}

start_registry_referrers() {
  start registry-referrers "${REGISTRY_REFERRERS#*:}" "$(program registry-referrers registry-referrers)" --listen "$REGISTRY_REFERRERS"
  await registry-referrers answering answers "http://$REGISTRY_REFERRERS/v2/"
}

start_source_controller() {
  start_controller source-controller "$SOURCE_CONTROLLER_HEALTH" --storage-path "$state/artifacts" \
    --storage-addr "$ARTIFACTS" --storage-adv-addr "$ARTIFACTS"
}

start_kustomize_controller() {
  start_controller kustomize-controller "$KUSTOMIZE_CONTROLLER_HEALTH" --http-retry 1 --requeue-dependency 2s
}

start_helm_controller() {
  start_controller helm-controller "$HELM_CONTROLLER_HEALTH" --http-retry 1 --requeue-dependency 2s \
    --graceful-shutdown-timeout 5s
}

# start_controller NAME HEALTH FLAGS...
start_controller() {
  local name=$1 health=$2
  shift 2
  start "$name" "${health#*:}" "$(program "$name" "$name")" --metrics-addr 0 --health-addr "$health" --events-addr= "$@"
  await "$name" ready answers "http://$health/readyz"
}

# --- the API server, spoken to with nothing but curl ---

api() {
  local path=$1
  shift
  curl -sS --noproxy '*' --fail-with-body --max-time 20 --cacert "$state/certs/apiserver.crt" \
    -H "Authorization: Bearer $ADMIN_TOKEN" "$@" "https://127.0.0.1:$API_PORT$path"
}

# apply PATH: creates or updates the one object whose YAML is on standard input.
apply() {
  local answer
  answer=$(api "$1?fieldManager=fluxscope-cluster&force=true" -X PATCH \
    -H 'Content-Type: application/apply-patch+yaml' --data-binary @-) || fail "the API server refused $1: $answer"
}

# --- processes: one file per part says pid, start time and boot, so a recycled pid is never taken for ours ---

boot=$(cat /proc/sys/kernel/random/boot_id)

started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return
  # The command's name stands in brackets and may hold spaces; the start time is the 20th word after it.
  read -ra stat <<<"${stat##*) }"
  [[ ${stat[0]} != Z ]] && printf '%s' "${stat[19]}"
}

pid_of() {
  local pid start on
  [[ -f $state/pids/$1 ]] && read -r pid start on <"$state/pids/$1" || return
  [[ $on == "$boot" && $(started_at "$pid") == "$start" ]] && printf '%s' "$pid"
}

is_running() { pid_of "$1" >/dev/null; }

is_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start NAME PORT PROGRAM ARGS...: nothing happens if it runs already.
# It sees nothing of the caller's environment: a registry takes every REGISTRY_... in it for a setting.
# A stranger on the port would answer our probes, so it is looked for first.
start() {
  local name=$1 port=$2 pid
  is_running "$name" && return
  is_free "$port" || fail "port $port is taken, $name cannot have it"
  shift 2
  (
    cd "$state" || exit
    exec setsid env -i PATH="$PATH" HOME="$state/home" TMPDIR="$state/tmp" KUBECONFIG="$state/admin.kubeconfig" \
      OTEL_TRACES_EXPORTER=none "$@" >>"$state/logs/$name.log" 2>&1 </dev/null
  ) &
  pid=$!
  printf '%s %s %s\n' "$pid" "$(started_at "$pid")" "$boot" >"$state/pids/$name"
}

# stop NAME: asks, waits ten seconds, insists.
stop() {
  local name=$1 pid try
  if pid=$(pid_of "$name"); then
    kill "$pid" 2>/dev/null || true
    for ((try = 0; try < 200; try++)); do
      is_running "$name" || break
      ((try == 100)) && { say "$name does not stop, killing it"; kill -KILL "$pid" 2>/dev/null || true; }
      sleep 0.1
    done
    is_running "$name" && fail "$name (pid $pid) cannot be stopped"
    say "stopped $name"
  fi
  rm -f "$state/pids/$name"
}

# await NAME WHAT COMMAND...: at most 60 s, and no longer than the part lives.
await() {
  local name=$1 what=$2 try
  shift 2
  for ((try = 0; try < 300; try++)); do
    "$@" >/dev/null 2>&1 && return
    is_running "$name" || break
    sleep 0.2
  done
  {
    printf '%s: %s is not %s; the end of %s:\n' "${0##*/}" "$name" "$what" "$state/logs/$name.log"
    tail -n 25 "$state/logs/$name.log"
  } >&2
  return 1
}
