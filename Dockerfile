# syntax=docker/dockerfile:1

# The same version as rust-toolchain.toml, which a test compares.
FROM rust:1.95.0-slim-trixie AS build
WORKDIR /src

# The image's gcc is all that the C parts (aws-lc, zstd) need; no cmake, no protoc.
# Dependencies are compiled in a layer of their own, for a workspace of empty crates: only a new
# manifest or lock file invalidates it. The manifests name benchmarks, so cargo wants them there.
# The package is named so that crates/test-features is left out.
COPY Cargo.toml Cargo.lock ./
COPY crates/nebius-api/Cargo.toml crates/nebius-api/
COPY crates/simulated-clouds/Cargo.toml crates/simulated-clouds/
COPY crates/test-features/Cargo.toml crates/test-features/
COPY benches benches
RUN mkdir src crates/nebius-api/src crates/simulated-clouds/src crates/test-features/src \
    && touch src/lib.rs crates/nebius-api/src/lib.rs crates/simulated-clouds/src/lib.rs \
        crates/test-features/src/lib.rs \
    && echo 'fn main() {}' | tee src/main.rs > crates/nebius-api/build.rs \
    && cargo build --release --locked --package quota-oracle

COPY . .
# Cargo goes by time, and the sources are older than the empty ones.
RUN find src crates -type f -exec touch {} + \
    && cargo build --release --locked --offline --package quota-oracle \
    && install -D --mode=0755 target/release/quota-oracle /out/quota-oracle \
    && install -d --mode=0700 /out/data


# glibc, libgcc and the CA certificates; no shell, no package manager.
FROM gcr.io/distroless/cc-debian13:nonroot

LABEL org.opencontainers.image.title="quota-oracle" \
      org.opencontainers.image.description="Answers which GPU-cloud offers can really start: cloud quotas, from memory, over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0"

COPY --from=build /out/quota-oracle /usr/local/bin/quota-oracle
# 65532 is the image's user `nonroot`, by number so that Kubernetes can see that it is not root.
COPY --from=build --chown=65532:65532 /out/data /var/lib/quota-oracle
USER 65532:65532

# The configuration is mounted at /etc/quota-oracle/quota-oracle.toml; with
# `cache.directory = "/var/lib/quota-oracle"` the snapshots survive the container.
VOLUME ["/var/lib/quota-oracle"]
EXPOSE 8080

# Ready, not only alive: the first answers are in, or have failed. Reading 17 regions at AWS's
# documented rate takes a few seconds.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["quota-oracle", "healthcheck"]

ENTRYPOINT ["quota-oracle"]
CMD ["serve"]
