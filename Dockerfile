# syntax=docker/dockerfile:1
# Debian, not Alpine: the embedded PostgreSQL needs glibc.
FROM node:24-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM base AS build
RUN npm ci --no-audit
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY scripts/build-if-needed.js scripts/
COPY src src
COPY web web
RUN node scripts/build-if-needed.js --force && rm -f dist/.tsbuildinfo

# Optional dependencies stay: one of them is the embedded PostgreSQL of this platform.
FROM base AS production-dependencies
RUN npm ci --omit=dev --no-audit

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data
WORKDIR /app
# PostgreSQL refuses to run as root, and initdb needs a user with a passwd entry: the image's `node` is one.
RUN install -d -o node -g node -m 0700 /data
COPY LICENSE package.json ./
COPY --from=production-dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY assets assets
USER node
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/main.js"]
