# Image of a Node {{major}} service that has no Dockerfile of its own. The builder adds CMD and labels (utils/dockerfile.ts) and
# makes the context: `veren` (steps and commands), `manifests` (what an installation reads), `app` (the whole source),
# `history` (the repository's .git, which the image does not have).
#
# Kaniko does every COPY, WORKDIR and unpacking of a layer as root, and follows links in the destination. So none of them
# leads below a folder that the user `node` owns, who runs all that is the user's; `run` has `node` copy the source to /app.
# The last stage runs nothing at all, so it holds what is copied and no more.
#
# Kaniko unpacks a base image over what is there, and empties the file system after every stage but the last: so the one that
# builds begins without what the builder's own image holds. A stage of which nothing is used would be left out.
FROM scratch AS init
COPY veren/init /init

FROM node:{{major}}-{{serviceBase}} AS build
ARG SHARED_PROCESSES=no
# Valid as long as the manifests, the commands and the user's variables stay as they are. One layer holds all that the user's
# programs have written: of two, the second would be unpacked through the links of the first.
ARG INSTALL_FROM=manifests
COPY veren/run veren/step veren/tools.spec veren/install.command veren/variables.sha256 /opt/veren/
COPY --chown=root:root ${INSTALL_FROM} /opt/veren/manifests/
RUN --mount=type=secret,id=variables,target=/kaniko/build/variables,uid=1000,mode=0400 \
    --mount=type=secret,id=certificates,target=/kaniko/build/ca.pem,uid=1000,mode=0444 \
    --mount=type=secret,id=install,target=/kaniko/build/install,mode=0400 \
    --mount=type=secret,id=left,target=/kaniko/build/left,mode=0400 \
    /opt/veren/run install

# Under Kaniko another one for every build: no layer from here on is ever taken from an earlier one.
ARG UNIQUE=none
ARG SERVICE_PATH=.
COPY veren/build.command veren/prune.command veren/start.json veren/programs.list veren/libraries.mjs veren/environment.mjs /opt/veren/
COPY --chown=root:root app /opt/veren/source/
COPY --chown=root:root history /opt/veren/history/
RUN --mount=type=secret,id=variables,target=/kaniko/build/variables,uid=1000,mode=0400 \
    --mount=type=secret,id=certificates,target=/kaniko/build/ca.pem,uid=1000,mode=0444 \
    --mount=type=secret,id=build,target=/kaniko/build/build,mode=0400 \
    /opt/veren/run build
RUN --mount=type=secret,id=certificates,target=/kaniko/build/ca.pem,uid=1000,mode=0444 \
    /opt/veren/run prune

FROM node:{{major}}-{{serviceBase}}-slim
ARG SERVICE_PATH=.
ARG PORT=3000
ENV NODE_ENV=production \
    PORT=${PORT} \
    PATH=/app/${SERVICE_PATH}/node_modules/.bin:/app/node_modules/.bin:/opt/veren/tools/node_modules/.bin:$PATH
COPY --from=init /init /opt/veren/init
# OpenSSL and certificates of the base image above: `run` has put them there before anything of the user's ran.
COPY --from=build /opt/veren/system /
COPY --from=build /opt/veren/runtime /opt/veren/tools
COPY --from=build --chown=node:node /app /app
USER node
# It is there: `run` has seen to that.
WORKDIR /app/${SERVICE_PATH}
EXPOSE ${PORT}
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/veren/init"]
