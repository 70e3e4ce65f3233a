# shellcheck shell=bash
# The part `docker`, only when named and only as root: the image and the compose files in a real
# engine; sourced by scripts/test.
#
# The engine has a network of its own, without any way out, and its images are made here: a base by
# debootstrap, the last stage of the Dockerfile with the binary that is built, and under the names of
# Valkey's and HAProxy's images the same programs from elsewhere.

check_docker() {
  as_root || die "the part docker needs root, as the engine does"
  build_binary
  local missing=()
  [[ -x /usr/sbin/dockerd ]] || missing+=(docker.io iptables)
  [[ -x /usr/bin/docker-compose ]] || missing+=(docker-compose)
  have debootstrap || missing+=(debootstrap)
  have ip || missing+=(iproute2)
  ((${#missing[@]} == 0)) || without_starting_servers install_packages "${missing[@]}"
  check_servers
  have_haproxy || die "haproxy is missing and cannot be fetched (Debian package haproxy)"
  local python
  python="$(venv docker --requirement tests/docker/requirements.txt)"
  make_base
  make_contexts
  (
    cd tests/docker
    run "$python" -m ruff check .
    run "$python" -m ruff format --check .
    run "$python" -m mypy
    PATH="/usr/sbin:/usr/bin:$PATH" QUOTA_ORACLE_DOCKER="$TARGET/docker" \
      run unshare --net --mount --fork --kill-child "$python" -m pytest
  )
}

# Debian starts a server that is installed, unless this file says no.
without_starting_servers() {
  local policy=/usr/sbin/policy-rc.d
  if [[ -e "$policy" ]]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  "$@"
  rm -f "$policy"
}

make_base() {
  local base="$TARGET/docker/base.tar"
  [[ ! -s "$base" ]] || return 0
  local folder="$TARGET/docker/base"
  rm -rf "$folder"
  mkdir -p "$folder"
  run debootstrap --variant=minbase --include=ca-certificates "$(debian_release)" "$folder" >"$TARGET/docker/debootstrap.log"
  rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/*
  tar --create --directory "$folder" --file "$base.part" .
  mv "$base.part" "$base"
  rm -rf "$folder"
}

# The release of this machine, whose C library the binary was linked with.
debian_release() {
  # shellcheck source=/dev/null
  (. /etc/os-release && echo "$VERSION_CODENAME")
}

# Makes the folders from which the images are built.
make_contexts() {
  local contexts="$TARGET/docker/contexts"
  rm -rf "$contexts"
  mkdir -p "$contexts"/{quota-oracle/out/data,valkey,haproxy}

  strip -o "$contexts/quota-oracle/out/quota-oracle" "$QUOTA_ORACLE_BIN"
  # The last stage on the base made here, with what the stage before it would have brought.
  tac Dockerfile | sed '/^FROM /q' | tac |
    sed -e 's#^FROM .*#FROM quota-oracle-base#' -e 's#--from=build /out/#out/#; s#--from=build \(.*\) /out/#\1 out/#' \
      >"$contexts/quota-oracle/Dockerfile"

  cp "$QUOTA_ORACLE_VALKEY_SERVER" "$contexts/valkey/valkey-server"
  cp "$(redis_cli)" "$contexts/valkey/valkey-cli"
  cp -L "$TOOLS"/usr/lib/*/{libjemalloc.so.2,liblzf.so.1} "$contexts/valkey/" 2>/dev/null || true
  cat >"$contexts/valkey/Dockerfile" <<'DOCKERFILE'
FROM quota-oracle-base
COPY . /usr/local/bin/
WORKDIR /data
ENV LD_LIBRARY_PATH=/usr/local/bin
DOCKERFILE

  local program
  program="$(command -v haproxy)"
  [[ ! -x "$TOOLS/usr/sbin/haproxy" ]] || program="$TOOLS/usr/sbin/haproxy"
  cp "$program" "$contexts/haproxy/haproxy"
  mkdir "$contexts/haproxy/lib"
  LD_LIBRARY_PATH="$(echo "$TOOLS"/usr/lib/*-linux-gnu)" ldd "$program" |
    sed -n 's/.* => \(.*\) (.*/\1/p' | xargs cp -L --target-directory="$contexts/haproxy/lib"
  cat >"$contexts/haproxy/Dockerfile" <<'DOCKERFILE'
FROM quota-oracle-base
COPY haproxy /usr/local/bin/
COPY lib /usr/local/lib/haproxy
ENV LD_LIBRARY_PATH=/usr/local/lib/haproxy
USER 99
CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
DOCKERFILE
}

redis_cli() {
  if [[ -x "$TOOLS/usr/bin/redis-cli" ]]; then
    echo "$TOOLS/usr/bin/redis-cli"
  else
    command -v redis-cli
  fi
}
