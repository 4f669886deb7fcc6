# The notes service of tests/e2e/paldocs, as an example of an application that moves; see compose.yaml.
ARG DEBIAN=docker.io/library/debian:bookworm-slim
FROM ${DEBIAN}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
       alembic python3-fastapi python3-psycopg2 python3-sqlalchemy uvicorn \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 10001 -g 10001 /data
COPY tests/e2e/paldocs /srv/paldocs
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /srv/paldocs
EXPOSE 8000
CMD ["uvicorn", "paldocs.main:app", "--host", "0.0.0.0"]
