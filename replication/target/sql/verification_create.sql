-- Made when first written: a state schema of before has it not. See STATE_FORMAT.md.
CREATE TABLE IF NOT EXISTS :"schema".verification (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  finished_at timestamptz NOT NULL DEFAULT now(),
  started_by text NOT NULL,
  duration_ms bigint NOT NULL,
  tables bigint NOT NULL,
  rows bigint NOT NULL,
  differences bigint NOT NULL,
  rejected bigint NOT NULL,
  waiting bigint NOT NULL,
  complete boolean NOT NULL,
  by_table text NOT NULL
)
