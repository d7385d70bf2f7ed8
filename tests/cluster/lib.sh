# shellcheck shell=bash
# What every script here needs: where things are, how one speaks and gives up, how a part is built.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLUXSCOPE_PARTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fluxscope/parts}

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# 77 is what test runners take for "skipped: something is missing here".
missing() {
  printf '\n%s: MISSING: %s\n\n' "${0##*/}" "$*" >&2
  exit 77
}

need() {
  command -v "$1" >/dev/null || missing "$1 is not on PATH. $2"
}

state_dir() {
  local dir=${1:-${FLUXSCOPE_CLUSTER_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/fluxscope/cluster}}
  [[ $dir == /* ]] || dir=$PWD/$dir
  printf '%s' "${dir%/}"
}

# --- parts: built once, kept by a hash of what they are made of ---

part_files() {
  local dir=$here/parts/$1
  printf '%s\n' "$dir/go.mod" "$dir/go.sum"
  find "$dir" -name '*.go' | LC_ALL=C sort
}

part_dir() {
  local hash file
  hash=$(part_files "$1" | while IFS= read -r file; do cat "$file"; done | sha256sum)
  printf '%s/%s-%s' "$cache" "$1" "${hash:0:16}"
}

program() { printf '%s/%s' "$(part_dir "$1")" "$2"; }

build_part() {
  local name=$1 dir temporary
  dir=$(part_dir "$name")
  [[ -d $dir ]] && return
  need_go
  say "building $name"
  mkdir -p "$cache"
  temporary=$(mktemp -d "$cache/.$name.XXXXXX")
  if ! compile "$name" "$temporary"; then
    rm -rf "$temporary"
    fail "$name did not build"
  fi
  # Somebody who built the same thing meanwhile has won; both are equal.
  mv -T "$temporary" "$dir" 2>/dev/null || rm -rf "$temporary"
}

need_go() {
  local said
  need go "The parts are Go programs: install Go 1.26 or newer."
  said=$(cd "$here/parts/push" && GOWORK=off go list -m 2>&1) || missing "Go 1.26 or newer; the one here says: $said"
}

compile() (
  name=$1 out=$2
  cd "$here/parts/$name" || return
  export GOFLAGS='' GOWORK=off
  case $name in
    push | registry-referrers | untar) go_build "" "$out" . ;;
    kubernetes) compile_kubernetes "$out" ;;
    flux) compile_flux "$out" ;;
    helm) go_build "-X helm.sh/helm/v4/internal/version.version=$(go list -m -f '{{.Version}}' helm.sh/helm/v4)" "$out" tool ;;
    *-controller) go_build "" "$out" tool && copy_crds "github.com/fluxcd/$name" "$out" ;;
    *) go_build "" "$out" tool ;;
  esac
)

go_build() { go build -buildvcs=false -trimpath -ldflags "-s -w $1" -o "$2/" "$3"; }

# Without a version in it, the API server is v0.0.0 and charts with a kubeVersion refuse it.
compile_kubernetes() {
  local version minor stamp=k8s.io/component-base/version
  version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes) || return
  minor=${version#v*.}
  go_build "-X $stamp.gitVersion=$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*}" "$1" tool &&
    mv "$1/server" "$1/etcd"
}

# Its module lacks the manifests that `flux install` embeds: it is built from a copy with an empty one in their place.
compile_flux() {
  local about module version sources=$1/sources
  about=$(go mod download -json github.com/fluxcd/flux2/v2) || return
  module=$(sed -n 's/^\t"Dir": "\(.*\)".*/\1/p' <<<"$about")
  version=$(sed -n 's/^\t"Version": "v\(.*\)".*/\1/p' <<<"$about")
  cp -r "$module" "$sources" && chmod -R u+w "$sources" && mkdir "$sources/cmd/flux/manifests" || return
  : >"$sources/cmd/flux/manifests/none.yaml"
  (cd "$sources" && go_build "-X main.VERSION=$version" "$1" ./cmd/flux) && rm -rf "$sources"
}

copy_crds() {
  local module
  module=$(go list -m -f '{{.Dir}}' "$1") || return
  mkdir "$2/crds"
  cp "$module"/config/crd/bases/*.yaml "$2/crds/"
  chmod u+w "$2/crds"/*
}

# Debian's registry is the one that does not page tags. The package is unpacked, not installed:
# installing it would start a service of its own.
unpaged_registry() {
  command -v docker-registry || {
    [[ -x $cache/docker-registry/usr/bin/docker-registry ]] &&
      printf '%s' "$cache/docker-registry/usr/bin/docker-registry"
  }
}

fetch_unpaged_registry() {
  [[ -n $(unpaged_registry) ]] && return
  local temporary
  say "fetching docker-registry"
  mkdir -p "$cache"
  temporary=$(mktemp -d "$cache/.docker-registry.XXXXXX")
  if download_package "$temporary"; then
    rm -rf "$cache/docker-registry"
    mv -T "$temporary" "$cache/docker-registry"
  else
    rm -rf "$temporary"
    printf '\n%s: GOING ON WITHOUT the registry that does not page tags: apt-get cannot give docker-registry here.\n\n' "${0##*/}" >&2
  fi
}

download_package() (
  cd "$1" || return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
  apt-get -qq download docker-registry 2>/dev/null ||
    { apt-get -qq update && apt-get -qq download docker-registry; } || return
  dpkg-deb -x docker-registry_*.deb . && rm docker-registry_*.deb
)
