-- CreateEnum
CREATE TYPE "role" AS ENUM ('OWNER', 'EDITOR', 'VIEWER');

-- CreateEnum
CREATE TYPE "change_kind" AS ENUM ('CREATE', 'PATCH', 'DELETE', 'RESTORE');

-- CreateTable
CREATE TABLE "workspaces" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL DEFAULT 1,
    "position" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workspaces_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "principals" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "principals_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "memberships" (
    "workspace_id" TEXT NOT NULL,
    "principal_id" TEXT NOT NULL,
    "role" "role" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "memberships_pkey" PRIMARY KEY ("workspace_id","principal_id")
);

-- CreateTable
CREATE TABLE "tokens" (
    "id" TEXT NOT NULL,
    "principal_id" TEXT NOT NULL,
    "label" TEXT NOT NULL DEFAULT '',
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "documents" (
    "workspace_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "collection" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "revision" BIGINT NOT NULL,
    "position" BIGINT NOT NULL,
    "deleted" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "documents_pkey" PRIMARY KEY ("workspace_id","id")
);

-- CreateTable
CREATE TABLE "changes" (
    "workspace_id" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "document_id" TEXT NOT NULL,
    "revision" BIGINT NOT NULL,
    "kind" "change_kind" NOT NULL,
    "collection" TEXT NOT NULL,
    "title" TEXT,
    "replica_id" TEXT NOT NULL,
    "counter" BIGINT NOT NULL,
    "patch_id" TEXT NOT NULL,
    "principal_id" TEXT NOT NULL,
    "patch" JSONB NOT NULL,
    "sent" JSONB,
    "base" BIGINT NOT NULL,
    "committed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "changes_pkey" PRIMARY KEY ("workspace_id","position")
);

-- CreateTable
CREATE TABLE "snapshots" (
    "workspace_id" TEXT NOT NULL,
    "document_id" TEXT NOT NULL,
    "revision" BIGINT NOT NULL,
    "value" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "snapshots_pkey" PRIMARY KEY ("workspace_id","document_id","revision")
);

-- CreateTable
CREATE TABLE "conflicts" (
    "workspace_id" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "document_id" TEXT NOT NULL,
    "against_revision" BIGINT NOT NULL,
    "rule" TEXT NOT NULL,
    "detail" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "conflicts_pkey" PRIMARY KEY ("workspace_id","position","ordinal")
);

-- CreateTable
CREATE TABLE "audit" (
    "workspace_id" TEXT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "principal_id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "document_id" TEXT,
    "patch_id" TEXT,
    "outcome" TEXT NOT NULL,
    "detail" JSONB,

    CONSTRAINT "audit_pkey" PRIMARY KEY ("workspace_id","id")
);

-- CreateIndex
CREATE INDEX "memberships_principal_id_idx" ON "memberships"("principal_id");

-- CreateIndex
CREATE INDEX "tokens_principal_id_idx" ON "tokens"("principal_id");

-- CreateIndex
CREATE INDEX "documents_workspace_id_collection_id_idx" ON "documents"("workspace_id", "collection", "id");

-- CreateIndex
CREATE UNIQUE INDEX "changes_workspace_id_document_id_revision_key" ON "changes"("workspace_id", "document_id", "revision");

-- CreateIndex
CREATE UNIQUE INDEX "changes_workspace_id_document_id_replica_id_counter_key" ON "changes"("workspace_id", "document_id", "replica_id", "counter");

-- CreateIndex
CREATE INDEX "conflicts_workspace_id_document_id_position_idx" ON "conflicts"("workspace_id", "document_id", "position");

-- CreateIndex
CREATE INDEX "audit_at_idx" ON "audit" USING BRIN ("at");

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_principal_id_fkey" FOREIGN KEY ("principal_id") REFERENCES "principals"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tokens" ADD CONSTRAINT "tokens_principal_id_fkey" FOREIGN KEY ("principal_id") REFERENCES "principals"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Room on each page for the next version of a row, so that an update of a head or of the feed's counter touches no index (HOT).
-- Prisma does not know the storage parameter and leaves it alone.
ALTER TABLE "documents" SET (fillfactor = 70);
ALTER TABLE "workspaces" SET (fillfactor = 50);
