# shellcheck shell=bash
# Functions that the parts of scripts/test share; sourced by it.

# Prints the interpreter of the environment NAME, in which pip has installed the rest.
venv() {
  local folder="$VENVS/$1"
  shift
  if [[ ! -x "$folder/bin/python" ]]; then
    say "making the Python environment $folder" >&2
    "$PYTHON" -m venv "$folder" >&2
  fi
  say "fetching Python packages as needed: $*" >&2
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2
  echo "$folder/bin/python"
}

# Unpacks Debian packages into target/tools. They are not installed, because some of them start a
# server when they are, and because this needs no root.
unpack_packages() {
  have apt-get && have dpkg-deb || return 1
  say "unpacking the Debian packages $*"
  local folder package
  folder="$(mktemp -d "$TOOLS/packages.XXXXXX")" || return 1
  (
    cd "$folder" || exit 1
    # A new machine has no package lists yet.
    apt_download "$@" 2>/dev/null || { as_root && run apt-get update -qq && apt_download "$@"; } || exit 1
    for package in ./*.deb; do
      dpkg-deb --extract "$package" "$TOOLS" || exit 1
    done
  )
  local result=$?
  rm -rf "$folder"
  return $result
}

# As root APT would fetch as a user of its own, who cannot write to this folder.
apt_download() {
  apt-get download -qq --option APT::Sandbox::User=root "$@"
}

not_checked() {
  NOT_CHECKED+=("$1")
}

install_packages() {
  as_root && have apt-get || die "Debian packages are missing: apt-get install $*"
  run apt-get update -qq
  DEBIAN_FRONTEND=noninteractive run apt-get install -qq --no-install-recommends "$@"
}

as_root() {
  [[ "$(id -u)" == 0 ]]
}

have() {
  command -v "$1" >/dev/null 2>&1
}

run() {
  say "$*"
  "$@"
}

say() {
  printf '\n==> %s\n' "$*"
}

die() {
  printf 'scripts/test: %s\n' "$*" >&2
  exit 2
}
