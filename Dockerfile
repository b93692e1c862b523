# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin recflow \
    && install -D target/release/recflow /out/recflow

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /workspace recflow \
    && install -d -o recflow -g recflow /workspace
COPY --from=build /out/recflow /usr/local/bin/recflow
COPY --from=build /src/LICENSE-APACHE /src/LICENSE-MIT /usr/share/doc/recflow/
USER recflow
ENV RECFLOW_WORKSPACE=/workspace
WORKDIR /workspace
VOLUME /workspace
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["recflow", "runs", "--json", "--limit", "1"]
ENTRYPOINT ["recflow"]
CMD ["--help"]
