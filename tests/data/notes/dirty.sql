-- What a service with SQLite under it may have gathered over the years: values that PostgreSQL refuses,
-- references to nothing. One statement each; the notes database must have rows in all its tables.
PRAGMA foreign_keys = OFF;
INSERT INTO note_tags VALUES (999001, 1);                                               -- orphan
UPDATE projects SET page_note_id = 424242 WHERE id = (SELECT min(id) FROM projects);    -- dangling, in the circle
UPDATE notes SET parent_note_id = 777777 WHERE id = (SELECT max(id) FROM notes);        -- dangling, to itself
UPDATE notes SET title = CAST(x'610062' AS TEXT) WHERE id = (SELECT min(id) FROM notes);  -- NUL within text
UPDATE notes SET is_public = 2 WHERE id = (SELECT min(id) + 2 FROM notes);              -- boolean 2
UPDATE notes SET created_at = '2026-03-06T12:00:00Z', updated_at = 1772817205
  WHERE id = (SELECT min(id) + 4 FROM notes);                                           -- ISO with zone; epoch
UPDATE repos SET created_at = '' WHERE id = (SELECT min(id) FROM repos);                -- empty timestamp
UPDATE sprints SET status = 'cancelled-and-archived' WHERE id = (SELECT min(id) FROM sprints);  -- too long
UPDATE sprint_items SET labels = '{not json' WHERE id = (SELECT min(id) FROM sprint_items);
UPDATE sprint_items SET position = 'first' WHERE id = (SELECT max(id) FROM sprint_items);
UPDATE note_revisions SET revision_number = 3000000000
  WHERE id = (SELECT max(id) FROM note_revisions);                                      -- beyond int4
UPDATE tags SET name = CAST(x'ff41' AS TEXT) WHERE id = (SELECT max(id) FROM tags);     -- not UTF-8
