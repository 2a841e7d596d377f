-- The roles of the running system. They cannot log in: a connection of the owner adopts one of them for its whole life.
-- Roles belong to the server and not to the database, so other databases may be making them at this moment.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['projector', 'app_user', 'app_system'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin', role_name);
      exception when duplicate_object or unique_violation then
        null;
      end;
    end if;
    if not (select rolsuper from pg_roles where rolname = current_user) then
      begin
        execute format('grant %I to current_user', role_name);
      exception when unique_violation or internal_error then
        null;
      end;
    end if;
  end loop;
  -- The projector makes the schema of the read models again when somebody has dropped it.
  execute format('grant create on database %I to projector', current_database());
  -- Who may only read has no use for temporary tables either.
  execute format('revoke temporary on database %I from public', current_database());
end
$$;

-- One row a projection: how far it has come, on which definition, and who works on it.
create table if not exists projector.state (
  name text primary key,
  version integer not null,
  definition text not null,
  tables text[] not null,
  -- Which build of the tables this is; `requested` beyond it asks for the next one.
  generation bigint not null,
  requested bigint not null,
  generation_since timestamptz not null,
  commit_position bigint,
  prepare_position bigint,
  -- The end of the log when this generation began; null when the log was empty.
  target_position bigint,
  events bigint not null,
  -- The read model shows the log as it was at this time.
  as_of timestamptz,
  status text not null check (status in ('catching_up', 'live', 'failed')),
  owner text not null,
  updated_at timestamptz not null
);

-- The event that a projection has stopped at. No personal data: where and what kind, never what it said.
create table if not exists projector.parked (
  name text primary key,
  commit_position bigint,
  prepare_position bigint,
  event_id text,
  event_type text,
  cause text not null,
  attempts integer not null,
  first_failed_at timestamptz not null,
  last_failed_at timestamptz not null
);

grant usage on schema projector to projector, app_system;
grant select, insert, update, delete on projector.state, projector.parked to projector;
grant select on projector.state, projector.parked to app_system;
