-- AlterTable
ALTER TABLE "conflicts" ADD COLUMN     "losing_author" TEXT,
ADD COLUMN     "losing_patch_id" TEXT,
ADD COLUMN     "losing_replica_id" TEXT,
ADD COLUMN     "revision" BIGINT,
ADD COLUMN     "winning_author" TEXT,
ADD COLUMN     "winning_patch_id" TEXT,
ADD COLUMN     "winning_replica_id" TEXT;

-- Those that were found before, as far as the log still has their changes.
UPDATE "conflicts" k
SET "revision" = l.revision,
  "losing_replica_id" = CASE WHEN k.detail ->> 'loser' = 'earlier' THEN e.replica_id ELSE l.replica_id END,
  "losing_patch_id" = CASE WHEN k.detail ->> 'loser' = 'earlier' THEN e.patch_id ELSE l.patch_id END,
  "losing_author" = CASE WHEN k.detail ->> 'loser' = 'earlier' THEN e.principal_id ELSE l.principal_id END,
  "winning_replica_id" = CASE WHEN k.detail ->> 'loser' = 'earlier' THEN l.replica_id ELSE e.replica_id END,
  "winning_patch_id" = CASE WHEN k.detail ->> 'loser' = 'earlier' THEN l.patch_id ELSE e.patch_id END,
  "winning_author" = CASE WHEN k.detail ->> 'loser' = 'earlier' THEN l.principal_id ELSE e.principal_id END
FROM "changes" l, "changes" e
WHERE l.workspace_id = k.workspace_id AND l.position = k.position
  AND e.workspace_id = k.workspace_id AND e.document_id = k.document_id AND e.revision = k.against_revision;

-- CreateIndex
CREATE INDEX "conflicts_workspace_id_losing_replica_id_position_ordinal_idx" ON "conflicts"("workspace_id", "losing_replica_id", "position", "ordinal");
