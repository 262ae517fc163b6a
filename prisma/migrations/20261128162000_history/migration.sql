-- A workspace has an id of its own making, so that a cursor of another server or database is told from one of this, and the patch id
-- of the last change that was compacted away, which a cursor may still name.
ALTER TABLE "workspaces" ADD COLUMN "history" UUID NOT NULL DEFAULT gen_random_uuid(),
ADD COLUMN "retained_patch_id" TEXT;
