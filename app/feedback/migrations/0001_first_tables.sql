CREATE TABLE outcome (
  id TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  version TEXT NOT NULL,
  day TEXT NOT NULL,
  facts TEXT NOT NULL,
  low DOUBLE PRECISION,
  value TEXT NOT NULL,
  high DOUBLE PRECISION,
  probability DOUBLE PRECISION,
  truth TEXT NOT NULL,
  said TEXT NOT NULL,
  source TEXT NOT NULL
);
CREATE INDEX outcome_by_day ON outcome (day, id);
CREATE TABLE field_counts (
  model TEXT NOT NULL,
  version TEXT NOT NULL,
  day TEXT NOT NULL,
  field TEXT NOT NULL,
  bin TEXT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (model, version, day, field, bin)
);
