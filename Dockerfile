# knary in a container: `docker build -t knary . && docker run --rm -p 8080:8080 knary`
# Not verified: there was no Docker where this was written.
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /knary \
 && /knary/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement locks/runtime.txt \
 && /knary/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="knary" \
      org.opencontainers.image.description="Knative canary releases on one machine, without a cluster" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /knary /knary
RUN useradd --create-home --uid 10001 knary && install -d -o knary /data
ENV PATH=/knary/bin:$PATH KNARY_DATA=/data
USER knary
VOLUME /data
# The gateway, for everybody who reaches the container; API and console stay on its loopback.
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["knary", "status"]
# Replicas share the container's network: it is one of their own already.
ENTRYPOINT ["knary"]
CMD ["up", "--listen", "0.0.0.0", "--port", "8080", "--network", "host"]
