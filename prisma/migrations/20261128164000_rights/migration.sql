-- CreateEnum
CREATE TYPE "membership_source" AS ENUM ('OWN', 'GRANT', 'INVITATION', 'CLAIM');

-- AlterTable
ALTER TABLE "principals" ADD COLUMN     "claims_issued_at" TIMESTAMPTZ(3),
ADD COLUMN     "default_workspace_id" TEXT,
ADD COLUMN     "workspace_id" TEXT;

-- AlterTable
ALTER TABLE "memberships" ADD COLUMN     "source" "membership_source" NOT NULL DEFAULT 'GRANT';

-- AlterTable
ALTER TABLE "tokens" ADD COLUMN     "last_used_at" TIMESTAMPTZ(3),
ADD COLUMN     "parent_id" TEXT,
ADD COLUMN     "workspace_id" TEXT;

-- AlterTable
ALTER TABLE "audit_entries" ADD COLUMN     "content" BYTEA,
ADD COLUMN     "position" BIGINT,
ADD COLUMN     "seal" BIGINT;

-- CreateTable
CREATE TABLE "invitations" (
    "workspace_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "role" "role" NOT NULL,
    "label" TEXT NOT NULL DEFAULT '',
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),
    "accepted_by" TEXT,
    "withdrawn_at" TIMESTAMPTZ(3),

    CONSTRAINT "invitations_pkey" PRIMARY KEY ("workspace_id","id")
);

-- CreateTable
CREATE TABLE "audit_seals" (
    "workspace_id" TEXT NOT NULL,
    "number" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "from_position" BIGINT NOT NULL,
    "to_position" BIGINT NOT NULL,
    "entries" BIGINT NOT NULL,
    "newest_at" TIMESTAMPTZ(3) NOT NULL,
    "changes_digest" TEXT NOT NULL,
    "entries_digest" TEXT NOT NULL,
    "previous" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "dropped" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "audit_seals_pkey" PRIMARY KEY ("workspace_id","number")
);

-- CreateIndex
CREATE INDEX "tokens_parent_id_idx" ON "tokens"("parent_id");

-- CreateIndex
CREATE INDEX "tokens_workspace_id_idx" ON "tokens"("workspace_id");

-- CreateIndex
CREATE INDEX "audit_entries_workspace_id_seal_idx" ON "audit_entries"("workspace_id", "seal");

-- CreateIndex
CREATE INDEX "audit_entries_workspace_id_position_idx" ON "audit_entries"("workspace_id", "position");

-- AddForeignKey
ALTER TABLE "tokens" ADD CONSTRAINT "tokens_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "tokens"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The audit knows which workspace granted a token and made its principal.
UPDATE "tokens" t SET "workspace_id" = a."workspace_id" FROM "audit_entries" a
WHERE a."action" = 'CREATE_TOKEN' AND a."outcome" = 'OK' AND a."workspace_id" <> '' AND a."detail" ->> 'tokenId' = t."id";

UPDATE "principals" p SET "workspace_id" = a."workspace_id" FROM "audit_entries" a
WHERE a."action" = 'CREATE_TOKEN' AND a."outcome" = 'OK' AND a."workspace_id" <> '' AND a."detail" ->> 'for' = p."id";

-- Who made a workspace holds it as its own: no claim of a JWT takes that role away.
UPDATE "memberships" m SET "source" = 'OWN'
FROM "audit_entries" a
WHERE a."action" = 'CREATE_WORKSPACE' AND a."outcome" = 'OK' AND a."workspace_id" = m."workspace_id" AND a."principal_id" = m."principal_id" AND m."role" = 'OWNER';
