# Headwater as a container. Every step is a script that also runs outside of one (scripts/image-try.sh does).
#
#   docker build -t headwater .
#   docker run -p 8000:8000 -v "$PWD":/project:ro headwater      # serves /project/model

FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN scripts/image-build.sh /opt/headwater

FROM python:3.11-slim
RUN useradd --system --create-home --uid 10001 headwater
COPY --from=build /opt/headwater /opt/headwater
COPY scripts/image-start.sh scripts/image-health.sh /usr/local/bin/
USER headwater
WORKDIR /home/headwater
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["image-health.sh"]
CMD ["image-start.sh"]
