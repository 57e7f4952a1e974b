"""PostgreSQL: pool, migrations, and the embedded server for trials and tests."""
