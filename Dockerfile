# Headwater as a container. scripts/image-try.sh does the same steps outside of one.
#
#   docker build -t headwater .
#   docker run -p 8000:8000 -v "$PWD":/project:ro headwater      # serves the model of the folder you are in

FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN scripts/image-build.sh /opt/headwater

FROM python:3.11-slim
RUN useradd --system --create-home --uid 10001 headwater
COPY --from=build /opt/headwater /opt/headwater
ENV PATH=/opt/headwater/bin:$PATH HEADWATER_HOST=0.0.0.0 HEADWATER_PROFILE=hardened
USER headwater
WORKDIR /project
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["headwater", "health"]
CMD ["headwater", "serve"]
