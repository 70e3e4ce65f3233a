# shellcheck shell=bash
# The part `browser`: the page in a real Chromium; sourced by scripts/test.

check_browser() {
  find_chromium || true
  if [[ -z "${CHROMIUM:-}" ]]; then
    not_checked "the page, for want of a Chromium (Debian package chromium-headless-shell, or CHROMIUM)"
    return
  fi
  build_binary
  local python
  python="$(venv browser --requirement tests/browser/requirements.txt)"
  (
    cd tests/browser
    run "$python" -m ruff check .
    run "$python" -m ruff format --check .
    run "$python" -m mypy
    run "$python" -m pytest -p no:cacheprovider
  )
}

# A Chromium that is there, or Debian's, which brings libraries and so has to be installed.
find_chromium() {
  local name
  [[ -z "${CHROMIUM:-}" ]] || return 0
  for name in chromium-headless-shell chromium; do
    ! have "$name" || break
    # Without root, or on another system, it is left.
    [[ "$name" != chromium ]] || (install_packages chromium-headless-shell) || return 1
  done
  for name in chromium-headless-shell chromium; do
    if have "$name"; then
      CHROMIUM="$(command -v "$name")"
      export CHROMIUM
      return 0
    fi
  done
  return 1
}
