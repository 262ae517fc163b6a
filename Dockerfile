# The server with its production dependencies; PostgreSQL runs beside it (docker-compose.yml) or elsewhere.
FROM node:22-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY core/package.json core/
COPY schema/package.json schema/
COPY server/package.json server/
COPY client/package.json client/

# Without install scripts: Argon2 carries its binaries in the package, and the Prisma client is generated below.
FROM base AS build
RUN npm ci --ignore-scripts --omit=optional
COPY tsconfig.base.json tsconfig.json prisma.config.ts ./
COPY prisma prisma
COPY core core
COPY schema schema
COPY server server
RUN node prisma/generate.mjs && npx tsc -b server

# Without the optional packages, which are the embedded PostgreSQL.
FROM base AS dependencies
RUN npm ci --ignore-scripts --omit=dev --omit=optional --workspace @concord/core --workspace @concord/schema --workspace @concord/server

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=build /app/core/dist core/dist
COPY --from=build /app/schema/dist schema/dist
COPY schema/trusted-documents.json schema/trusted-documents.json
COPY --from=build /app/server/dist server/dist
COPY prisma/schema.prisma prisma/schema.prisma
COPY prisma/migrations prisma/migrations
USER node
EXPOSE 8080
# Live, over HTTP or, with TLS_CERT set, over HTTPS to itself (whose certificate is made out to another name).
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "-e", "const s=process.env.TLS_CERT?'https':'http';require(s).get(`${s}://127.0.0.1:${process.env.PORT}/health`,{rejectUnauthorized:false},r=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))"]
# No shell and no npm in between: signals reach the server, which then stops in order.
CMD ["node", "server/dist/main.js"]
