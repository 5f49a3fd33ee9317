-- Redirect URLs by how they begin, whatever the project: each call of a page from another origin
-- looks for them.
CREATE INDEX redirect_urls_by_beginning ON redirect_urls (LOWER(url));
