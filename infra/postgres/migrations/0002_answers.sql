-- What answers said, for a day, so that they can be resumed and replayed. No read model: it cannot be made again from the
-- log. What people asked for and were told stands here only under their own keys.
create schema if not exists app;

create table if not exists app.answer (
  request_id uuid primary key,
  user_id uuid not null,
  model_id text not null,
  provider text not null,
  started_at timestamptz not null,
  -- The owner's last sign of life.
  seen_at timestamptz not null,
  -- Somebody on another instance reads it until then.
  followed_until timestamptz,
  -- How it ended, as JSON; null while it goes on.
  over text
);

create index if not exists answers_by_age on app.answer (started_at);

-- The events from one position up to, and without, another.
create table if not exists app.answer_piece (
  request_id uuid not null references app.answer on delete cascade,
  first_position integer not null,
  next_position integer not null,
  sealed jsonb not null,
  primary key (request_id, first_position)
);

grant usage on schema app to app_system;
grant select, insert, update, delete on app.answer, app.answer_piece to app_system;
