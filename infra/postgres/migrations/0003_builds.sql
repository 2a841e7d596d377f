-- Beside the tables that readers see, a projection may have tables that are being built and tables that were replaced. Each
-- has a row of its own in projector.state: `<name>`, `<name>@next` and `<name>@old`.
alter table projector.state
  -- Nothing is built while this is set.
  add column if not exists paused boolean not null default false,
  -- Events a second at the most; null: as fast as it goes.
  add column if not exists most_per_second integer,
  -- These tables were in use before, and are taken back.
  add column if not exists taken_back boolean not null default false,
  -- When, and where, whoever builds has last begun; null: with the tables.
  add column if not exists run_since timestamptz,
  add column if not exists run_events bigint,
  add column if not exists run_position bigint;
