# shellcheck shell=bash
# The part `package`: the tarball of scripts/package, made twice; sourced by scripts/test.

check_package() {
  build_binary
  if ! "$QUOTA_ORACLE_BIN" completions bash >/dev/null 2>&1; then
    not_checked "the tarball, since this binary prints no completions"
    return
  fi
  local folder="$TARGET/package" sums
  rm -rf "$folder"
  run scripts/package tarball
  sums="$(<"$folder/SHA256SUMS")"
  run scripts/package tarball >/dev/null
  [[ "$sums" == "$(<"$folder/SHA256SUMS")" ]] || die "the same files give another tarball"
  (
    cd "$folder"
    run sha256sum --check SHA256SUMS
    mkdir unpacked
    tar --extract --strip-components=1 --directory unpacked --file ./*.tar.gz
    cd unpacked
    run ./bin/quota-oracle --version
    run bash -n completions/quota-oracle.bash
    run grep -q '^#compdef quota-oracle' completions/_quota-oracle
    run grep -q '^complete ' completions/quota-oracle.fish
    run grep -q '^\.TH' man/man1/quota-oracle.1
    run test -f deploy/helm/quota-oracle/rules.yml
    ! have nm || [[ -z "$(nm bin/quota-oracle 2>/dev/null)" ]] || die "the binary is not stripped"
  )
}
