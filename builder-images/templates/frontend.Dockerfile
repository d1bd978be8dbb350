# Frontend builder for Node {{major}}. Context: builder-images/, after `tsx builder-images/bundle.ts` has written the bundled script.
{{baseRemark}}
ARG BASE=ubuntu:{{base}}
ARG USER_NODE=node:{{version}}-bookworm-slim
ARG VEREN_NODE=node:24.21.0-bookworm-slim

FROM $USER_NODE AS user-node
FROM $VEREN_NODE AS veren-node

FROM $BASE AS system
COPY builder-image-frontend/dockerfiles/install.sh /tmp/install.sh
RUN /tmp/install.sh system

# The repository's Node, and the one that runs our script: a project's old Node never runs trusted code.
FROM system AS nodes
COPY --from=user-node /usr/local/bin/node /opt/node/bin/node
COPY --from=user-node /usr/local/lib/node_modules/npm /opt/node/lib/node_modules/npm
COPY --from=veren-node /usr/local/bin/node /veren/node/bin/node
RUN /tmp/install.sh node

FROM system
COPY --from=nodes /opt/node /opt/node
ENV PATH=/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8

RUN /tmp/install.sh managers {{managers}} \
 && node -v | grep -q '^v{{major}}\.'

#@ Before what is trusted, so that a change of ours keeps these layers. Lines that begin as this one are not in the Dockerfiles.
{{generators}}# Everything trusted: root's, readable, written by nobody.
COPY --from=nodes /veren/node /veren/node
COPY shared/handover.sh /veren/shared/handover.sh
COPY builder-image-frontend/main.sh builder-image-frontend/kafka.pem /veren/builder-image-frontend/
COPY builder-image-frontend/dist /veren/builder-image-frontend/dist
RUN /veren/node/bin/node -v

ENV HOME=/root \
    VEREN_NODE=/veren/node/bin/node \
    VEREN_SCRIPT=/veren/builder-image-frontend/dist/script.mjs \
    VEREN_WORKDIR=/work \
    VEREN_TOOLS=/veren/tools \
    VEREN_BUILD_UID=10001 \
    VEREN_BUILD_GID=10001
# root, to be able to become the build user, which owns nothing but its work folder.
ENTRYPOINT ["tini", "--", "/veren/builder-image-frontend/main.sh"]
