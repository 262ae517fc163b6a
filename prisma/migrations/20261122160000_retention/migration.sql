-- AlterTable
ALTER TABLE "workspaces" ADD COLUMN     "retained_from" BIGINT NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "retired_counters" (
    "workspace_id" TEXT NOT NULL,
    "document_id" TEXT NOT NULL,
    "replica_id" TEXT NOT NULL,
    "counter" BIGINT NOT NULL,
    "patch_id" TEXT NOT NULL,
    "revision" BIGINT NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "retired_counters_pkey" PRIMARY KEY ("workspace_id","document_id","replica_id")
);
