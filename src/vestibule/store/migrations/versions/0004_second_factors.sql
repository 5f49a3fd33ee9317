-- Each part says what it is for; conventions as in 0001_tables.sql.

-- Whether a member who is locked out may end that by the link of a letter.
ALTER TABLE projects ADD COLUMN user_lock_self_serve BOOLEAN NOT NULL DEFAULT FALSE;
