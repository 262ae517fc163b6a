-- A committed edit was written twice, into the log and into the audit. The log says all of it.
ALTER TABLE "audit" RENAME TO "audit_entries";
ALTER TABLE "audit_entries" RENAME CONSTRAINT "audit_pkey" TO "audit_entries_pkey";
ALTER SEQUENCE "audit_id_seq" RENAME TO "audit_entries_id_seq";

DELETE FROM "audit_entries" a USING "changes" c
WHERE a.outcome = 'OK' AND c.workspace_id = a.workspace_id AND c.document_id = a.document_id AND c.patch_id = a.patch_id;

-- What is compacted comes later than what is younger: the order of the rows is not that of time any more.
DROP INDEX "audit_at_idx";

-- CreateIndex
CREATE INDEX "audit_entries_workspace_id_at_idx" ON "audit_entries"("workspace_id", "at");

-- CreateIndex
CREATE INDEX "changes_committed_at_idx" ON "changes" USING BRIN ("committed_at");

-- All operations: who did what, when, with which outcome. `id` and `detail` are null for what the log still holds.
CREATE VIEW "audit" AS
SELECT workspace_id, id, at, principal_id, action, document_id, patch_id, outcome, detail FROM "audit_entries"
UNION ALL
SELECT workspace_id, NULL, committed_at, principal_id, kind::text, document_id, patch_id, 'OK', NULL FROM "changes";
