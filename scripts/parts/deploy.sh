# shellcheck shell=bash
# The part `deploy`: each file of a deployment, by the tool that reads it; sourced by scripts/test.

check_deploy() {
  check_rules
  check_compose
  check_caddyfiles
  check_haproxy
  check_unit
}

check_rules() {
  have promtool || unpack_packages prometheus || true
  if ! have promtool; then
    not_checked "the alert rules, for want of promtool (Debian package prometheus)"
    return
  fi
  run promtool check rules deploy/prometheus/rules.yml
  run promtool test rules deploy/prometheus/*_test.yml
  run promtool check config --syntax-only deploy/prometheus/prometheus.yml
  check_dashboard
}

# The dashboard's queries, as rules that promtool reads.
check_dashboard() {
  have python3 || return 0
  say "promtool check rules, with the queries of the dashboard"
  python3 - >"$TARGET/dashboard-rules.yml" <<'PYTHON'
import json

board = json.load(open("deploy/grafana/dashboards/quota-oracle.json"))
queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
rules = [
    {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m")}
    for number, query in enumerate(queries)
]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
  promtool check rules "$TARGET/dashboard-rules.yml"
}

# Compose v2 is a plugin of Docker, v1 a Debian package that brings no engine.
check_compose() {
  local compose found=()
  ! docker compose version >/dev/null 2>&1 || found+=("docker compose")
  have docker-compose || ! as_root || ! have apt-get || (install_packages docker-compose) || true
  ! have docker-compose || found+=(docker-compose)
  if ((${#found[@]} == 0)); then
    not_checked "the compose files, for want of docker compose and docker-compose"
    return
  fi
  for compose in "${found[@]}"; do
    # Two words, or one.
    # shellcheck disable=SC2086
    {
      run $compose --profile monitoring config --quiet
      run $compose --file docker-compose.replicas.yml config --quiet
      run $compose --file integrations/dstack/docker-compose.yml config --quiet
    }
  done
}

check_caddyfiles() {
  have caddy || unpack_packages caddy || true
  if ! have caddy; then
    not_checked "the Caddyfiles, for want of caddy"
    return
  fi
  local file
  for file in deploy/caddy/*; do
    run caddy validate --adapter caddyfile --config "$file"
  done
}

check_haproxy() {
  if ! have_haproxy; then
    not_checked "the configuration of HAProxy, for want of haproxy"
    return
  fi
  run haproxy -c -f deploy/haproxy/replicas.cfg
}

have_haproxy() {
  have haproxy || {
    unpack_packages haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 && unpacked_program haproxy usr/sbin/haproxy
  }
}

# The program need not be installed: another one stands in its place.
check_unit() {
  if ! systemd-analyze --help 2>/dev/null | grep -q -- --offline; then
    not_checked "the unit of systemd, for want of systemd-analyze 250 or newer"
    return
  fi
  mkdir -p "$TARGET/systemd"
  local unit="$TARGET/systemd/quota-oracle.service"
  sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' deploy/systemd/quota-oracle.service >"$unit"
  run systemd-analyze verify --man=no "$unit"
  # An exposure of 2.0 at most, of 10.
  run systemd-analyze security --offline=true --no-pager --threshold=20 "$unit" | tail -n 1
}
