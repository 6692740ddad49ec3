-- One database and one role per service; no role reaches another service's database. Run by psql as the
-- superuser of an empty server: by the container's first start and by the embedded run alike. Passwords
-- come from the environment.
\set ON_ERROR_STOP on
\getenv households_password HOUSEHOLDS_DB_PASSWORD
\getenv funding_password FUNDING_DB_PASSWORD
\getenv training_password TRAINING_DB_PASSWORD
\getenv reporting_password REPORTING_DB_PASSWORD

create role households login password :'households_password';
create role funding login password :'funding_password';
create role training login password :'training_password';
create role reporting login password :'reporting_password';

create database households owner households;
create database funding owner funding;
create database training owner training;
create database reporting owner reporting;

revoke connect, temporary on database households, funding, training, reporting, postgres, template1 from public;

alter role households set idle_in_transaction_session_timeout = '60s';
alter role funding set idle_in_transaction_session_timeout = '60s';
alter role training set idle_in_transaction_session_timeout = '60s';
alter role reporting set idle_in_transaction_session_timeout = '60s';
