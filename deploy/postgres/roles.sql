-- Three roles of the line's database, none of them with more than it needs. Run it once, connected to that database as
-- a superuser, before `insert-db upgrade`; again does no harm:
--
--   psql -d inserts -f roles.sql
--
-- Then give each its password (`\password inserts_worker` in psql, which does not send it in the clear):
--
--   inserts_owner    `insert-db upgrade`, `prune` and `restore`: the tables are its own
--   inserts_worker   workers, learning and people who review: rows, and no tables
--   inserts_reader   reports, dashboards, `insert-db verdicts` and the like: reads

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['inserts_owner', 'inserts_worker', 'inserts_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- roles are the whole server's, and somebody has just made it for another database
            END;
        END IF;
    END LOOP;
    -- Nobody comes in who is not one of them, and nobody makes temporary tables.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO inserts_owner, inserts_worker, inserts_reader', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO inserts_owner;
GRANT USAGE ON SCHEMA public TO inserts_worker, inserts_reader;

-- What the owner makes, now and in later versions.
ALTER DEFAULT PRIVILEGES FOR ROLE inserts_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO inserts_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE inserts_owner IN SCHEMA public
    GRANT USAGE ON SEQUENCES TO inserts_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE inserts_owner IN SCHEMA public
    GRANT SELECT ON TABLES TO inserts_reader;
