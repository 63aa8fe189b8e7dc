# Run by PostgreSQL's image on the first start of an empty volume: the database, its roles (roles.sql beside this says who
# may do what), and their passwords from files. The superuser `postgres` is for people alone.
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE DATABASE inserts;
\connect inserts
\include /etc/inserts/roles.sql
\set owner `cat /run/secrets/database_owner_password`
\set worker `cat /run/secrets/database_worker_password`
\set reader `cat /run/secrets/database_reader_password`
-- Statements are not logged by default; a password would be, and so would its error.
SET log_min_error_statement TO panic;
ALTER ROLE inserts_owner PASSWORD :'owner';
ALTER ROLE inserts_worker PASSWORD :'worker';
ALTER ROLE inserts_reader PASSWORD :'reader';
SQL
