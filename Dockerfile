# One small image for each role:  docker build --target station|connect|db|console|worker|learn .
#
# The locked packages lie in a layer of their own below the project's code, so that a change of the code installs
# nothing anew. What pip and setuptools did stays behind in the stages before the last ones. Written for the classic
# builder and for BuildKit alike.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# An environment without pip in it, which each role fills from its lock.
FROM ${PYTHON_IMAGE} AS environment
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/inserts

# The project's own code, built by the locked build back end and without any index.
FROM environment AS code
COPY locks/build.lock locks/
RUN python -m pip install --require-hashes -r locks/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY producer producer
COPY db db
COPY worker worker
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir wheel . \
 && python -m pip --python /opt/inserts/bin/python install --no-deps --no-index wheel/*.whl

# What all roles run on: a user without rights or password, the same number everywhere because stations and workers
# share the images' volume, and its folders, whose owner a new volume takes over.
FROM ${PYTHON_IMAGE} AS runtime
RUN python -m pip uninstall --yes --quiet --root-user-action ignore setuptools wheel pip \
 && groupadd --gid 10001 inserts \
 && useradd --uid 10001 --gid inserts --no-create-home --home-dir /var/lib/inserts --shell /usr/sbin/nologin inserts \
 && install -d -o inserts -g inserts -m 0750 /var/lib/inserts /var/lib/inserts/outbox /var/lib/inserts/connect /srv/images /backup
ENV PATH=/opt/inserts/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    INSERTS_DATA=/var/lib/inserts INSERTS_IMAGES=/srv/images
USER inserts
WORKDIR /var/lib/inserts
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="insert-inspection"

# S3=1 adds support for images under s3://… to the role's image.
FROM environment AS station-packages
ARG S3=
COPY locks/station.lock locks/s3.lock locks/
RUN python -m pip --python /opt/inserts/bin/python install --require-hashes -r locks/station.lock ${S3:+-r locks/s3.lock}

FROM runtime AS station
COPY --from=station-packages /opt/inserts /opt/inserts
COPY --from=code /opt/inserts /opt/inserts
LABEL org.opencontainers.image.title="insert-station" \
      org.opencontainers.image.description="Photographs of cutting inserts in, verdicts back"
ENTRYPOINT ["insert-station"]
CMD ["--help"]
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"

# What tells the plant's other systems: a station's program, with MQTT and webhooks.
FROM environment AS connect-packages
ARG S3=
COPY locks/connect.lock locks/s3.lock locks/
RUN python -m pip --python /opt/inserts/bin/python install --require-hashes -r locks/connect.lock ${S3:+-r locks/s3.lock}

FROM runtime AS connect
COPY --from=connect-packages /opt/inserts /opt/inserts
COPY --from=code /opt/inserts /opt/inserts
LABEL org.opencontainers.image.title="insert-connect" \
      org.opencontainers.image.description="Tells the plant's other systems what the line finds"
ENTRYPOINT ["insert-station"]
CMD ["connect", "run"]
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"

FROM environment AS db-packages
ARG S3=
COPY locks/db.lock locks/s3.lock locks/
RUN python -m pip --python /opt/inserts/bin/python install --require-hashes -r locks/db.lock ${S3:+-r locks/s3.lock}

# pg_dump and pg_restore, of the server's own version, for backup and restore.
FROM runtime AS db
USER root
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client-15 && rm -rf /var/lib/apt/lists/*
USER inserts
COPY --from=db-packages /opt/inserts /opt/inserts
COPY --from=code /opt/inserts /opt/inserts
LABEL org.opencontainers.image.title="insert-db" \
      org.opencontainers.image.description="The inspection's database: migrations, questions, reviews"
ENTRYPOINT ["insert-db"]
CMD ["--help"]
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"

# The pages for browsers, from the same program as the image db: no tools of PostgreSQL, no TensorFlow.
FROM environment AS console-packages
ARG S3=
COPY locks/console.lock locks/s3.lock locks/
RUN python -m pip --python /opt/inserts/bin/python install --require-hashes -r locks/console.lock ${S3:+-r locks/s3.lock}

FROM runtime AS console
COPY --from=console-packages /opt/inserts /opt/inserts
COPY --from=code /opt/inserts /opt/inserts
LABEL org.opencontainers.image.title="insert-console" \
      org.opencontainers.image.description="The line in a browser: heads, reviews, models"
ENTRYPOINT ["insert-db"]
CMD ["console", "--bind", "0.0.0.0"]
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"

# What judges on the line, and beat: neither TensorFlow nor scikit-learn. It has no network in it: a champion's lies with the
# models, where the learner has put it, and without a champion there is nothing to look through.
FROM environment AS worker-packages
ARG S3=
COPY locks/worker.lock locks/s3.lock locks/
RUN python -m pip --python /opt/inserts/bin/python install --require-hashes -r locks/worker.lock ${S3:+-r locks/s3.lock}

FROM runtime AS worker
COPY --from=worker-packages /opt/inserts /opt/inserts
COPY --from=code /opt/inserts /opt/inserts
LABEL org.opencontainers.image.title="insert-worker" \
      org.opencontainers.image.description="Judges captures of cutting inserts"
ENTRYPOINT ["insert-worker"]
CMD ["run"]
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"

# What builds networks and learns, with the weights of EfficientNet-Lite. TensorFlow brings headers and a compiler for
# building operations in C++, which nobody does here.
FROM environment AS learn-packages
ARG S3=
COPY locks/learn.lock locks/s3.lock locks/
RUN python -m pip --python /opt/inserts/bin/python install --require-hashes -r locks/learn.lock ${S3:+-r locks/s3.lock} \
 && rm -rf /opt/inserts/lib/python3.11/site-packages/tensorflow/include /opt/inserts/lib/python3.11/site-packages/clang

FROM runtime AS learn
COPY --from=learn-packages /opt/inserts /opt/inserts
COPY --from=code /opt/inserts /opt/inserts
LABEL org.opencontainers.image.title="insert-learn" \
      org.opencontainers.image.description="Builds networks, and learns from reviews what the line judges by"
ENTRYPOINT ["insert-worker"]
CMD ["learn"]
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"
