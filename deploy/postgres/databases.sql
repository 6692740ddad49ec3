-- One database and one role per service; no role reaches another service's database. Run by psql as the
-- superuser: by the container's first start, and by the embedded run at every start, so it may be repeated.
-- Passwords come from the environment.
\set ON_ERROR_STOP on
\getenv households_password HOUSEHOLDS_DB_PASSWORD
\getenv funding_password FUNDING_DB_PASSWORD
\getenv training_password TRAINING_DB_PASSWORD
\getenv reporting_password REPORTING_DB_PASSWORD

select format('create role %I login', name)
from unnest(array['households', 'funding', 'training', 'reporting']) as name
where not exists (select from pg_roles where rolname = name)
\gexec

alter role households password :'households_password';
alter role funding password :'funding_password';
alter role training password :'training_password';
alter role reporting password :'reporting_password';

select format('create database %I owner %I', name, name)
from unnest(array['households', 'funding', 'training', 'reporting']) as name
where not exists (select from pg_database where datname = name)
\gexec

revoke connect, temporary on database households, funding, training, reporting, postgres, template1 from public;
