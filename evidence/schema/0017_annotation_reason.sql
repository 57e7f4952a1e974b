-- Why a version of an annotation was written, from `clip.annotated`; older payloads state none.
ALTER TABLE clip_annotation ADD COLUMN reason text;
