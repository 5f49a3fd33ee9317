"""A small model of organizations, members, roles, sessions and second factors, beside the server.

The model is `nouns` and the rules beside them (`people`, `roles`, `sign_in`, `second_factors`); it
knows nothing of the server's code. `servers` are two servers, on SQLite and on PostgreSQL. The
stories, which hypothesis thinks of, are told to the model and to both (`stories_…`), and after each
step everything that can be seen is what the model says (`story`).
"""
