#!/bin/sh
# The command of the container image: serves the project mounted at /project.
#
#   HEADWATER_PREFIX  where image-build.sh put the program   (/opt/headwater)
#   HEADWATER_MODEL   the model's folder                     (/project/model)
#   HEADWATER_HOST    the address to listen at               (0.0.0.0: a container's own)
#   HEADWATER_PORT    the port                               (8000)
set -eu

model=${HEADWATER_MODEL:-/project/model}
if [ ! -d "$model" ]; then
    echo "There is no model at $model. Mount a project that has one: docker run -v \"\$PWD\":/project:ro …" >&2
    exit 2
fi
exec "${HEADWATER_PREFIX:-/opt/headwater}/bin/headwater" serve \
    --model "$model" --host "${HEADWATER_HOST:-0.0.0.0}" --port "${HEADWATER_PORT:-8000}"
