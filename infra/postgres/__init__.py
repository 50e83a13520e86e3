"""PostgreSQL as the store: the log of facts, permanent tables and read models in one database."""
