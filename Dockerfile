# syntax=docker/dockerfile:1
# One image for the worker, the preparation job (python -m workers.prepare), the official list (livebase register
# serve) and the command line.

FROM python:3.13-slim-bookworm AS build
ENV UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 VIRTUAL_ENV=/opt/livebase
RUN pip install --no-cache-dir uv==0.13.9 && uv venv "$VIRTUAL_ENV"
WORKDIR /build
# What runs, without the tests' tools, every hash checked; a layer of its own, since the lock changes seldom.
COPY pyproject.toml requirements.lock ./
RUN uv pip install --require-hashes --requirements pyproject.toml --constraints requirements.lock
COPY . .
RUN uv build --wheel --build-constraints requirements.lock --require-hashes --out-dir dist \
    && uv pip install --no-deps dist/*.whl

FROM python:3.13-slim-bookworm
# The fonts certificates are set in, for the official list.
RUN apt-get update && apt-get install --yes --no-install-recommends fonts-noto-cjk && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home livebase \
    && install --directory --owner livebase --group livebase /var/lib/livebase/documents /var/lib/livebase/heads \
      /var/lib/livebase/channel /var/lib/livebase/keys /var/lib/livebase/payload-keys /var/lib/livebase/document-keys \
      /var/lib/livebase/register-keys /var/lib/livebase/codec-tokens
COPY --from=build /opt/livebase /opt/livebase
ENV PATH=/opt/livebase/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LIVEBASE_DOCUMENTS=/var/lib/livebase/documents \
    LIVEBASE_LOG_FORMAT=json \
    LIVEBASE_HEALTH_HOST=0.0.0.0
WORKDIR /var/lib/livebase
# By number, so that a cluster can see that it is not root.
USER 10001:10001
ENTRYPOINT ["livebase"]
CMD ["worker"]
