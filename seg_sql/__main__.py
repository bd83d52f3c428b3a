"""`python -m seg_sql` is the command `seg-sql`."""

from seg_sql.cli import main

if __name__ == "__main__":
    main()
