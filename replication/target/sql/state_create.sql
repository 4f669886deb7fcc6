-- The tables of the state schema, format 1; see STATE_FORMAT.md.
CREATE TABLE :"schema".meta (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  format integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL
);
INSERT INTO :"schema".meta (format, created_by) VALUES (:'format', :'created_by');

CREATE TABLE :"schema".stream (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  incarnation text NOT NULL,
  phase text NOT NULL CHECK (phase IN ('copying', 'catching_up', 'following', 'cut_over')),
  applied_seq bigint NOT NULL,
  applied_mark bigint NOT NULL,
  consistent boolean NOT NULL,
  paused boolean NOT NULL,
  owner_epoch bigint NOT NULL,
  owner_id text NOT NULL,
  owner_backend integer NOT NULL,
  owner_backend_start timestamptz,
  owner_seen_at timestamptz NOT NULL,
  in_sync_at_ms bigint NOT NULL,
  system_identifier text NOT NULL,
  timeline bigint NOT NULL
) WITH (fillfactor = 20);  -- one row, written all the time: leaves room to update it in its page

CREATE TABLE :"schema".history (
  at timestamptz PRIMARY KEY,
  seq bigint NOT NULL
);

CREATE TABLE :"schema".source_table (
  number bigint PRIMARY KEY,
  name text NOT NULL,
  target text NOT NULL,
  signature text NOT NULL,
  schema_version bigint NOT NULL
);

CREATE TABLE :"schema".copy_range (
  table_no bigint NOT NULL,
  range_no integer NOT NULL,
  after text NOT NULL,
  up_to text NOT NULL,
  done boolean NOT NULL,
  rows bigint NOT NULL,
  PRIMARY KEY (table_no, range_no)
);

CREATE TABLE :"schema".rejected_row (
  table_no bigint NOT NULL,
  table_name text NOT NULL,
  row_key text NOT NULL,
  row_key_digest bytea NOT NULL,  -- a key may be longer than an index takes
  column_name text NOT NULL,
  storage_class text NOT NULL,
  reason text NOT NULL,
  sqlstate text NOT NULL,
  first_seen timestamptz NOT NULL DEFAULT now(),
  last_seen timestamptz NOT NULL DEFAULT now(),
  attempts bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (table_no, row_key_digest)
);

CREATE TABLE :"schema".held (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  table_oid oid NOT NULL,
  table_name text NOT NULL,
  name text NOT NULL,
  restore_sql text NOT NULL,
  problem text NOT NULL,
  sort_order integer NOT NULL,
  held_at timestamptz NOT NULL DEFAULT now()
);
