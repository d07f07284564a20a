"""How alembic reaches the database: the engine it is handed, else the one of this installation."""

from collections.abc import Mapping
from typing import Any

from alembic import context
from sqlalchemy import Connection

import core.models
from core.db import Base, engine

assert core.models.__all__  # Importing the package is what defines the tables.


def main() -> None:
    """Run the migrations in one transaction."""
    with context.config.attributes.get("engine", engine()).connect() as connection:
        _let_tables_be_made_anew(connection, on=False)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            user_module_prefix="sqlmodel.",
            include_name=_is_ours,
        )
        with context.begin_transaction():
            context.run_migrations()
            if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
                msg = f"These rows would point to nothing: {broken[:5]}"
                raise RuntimeError(msg)
        connection.commit()
        _let_tables_be_made_anew(connection, on=True)


def _is_ours(name: str | None, kind: str, _parents: Mapping[str, str | None]) -> bool:
    """Leave out the tables in which SQLite's FTS5 keeps its trigrams: they come with `search_entry`."""
    return kind != "table" or not (name or "").startswith("search_text")


def _let_tables_be_made_anew(connection: Connection, *, on: bool) -> None:
    """Switch SQLite's foreign keys, outside of any transaction: it changes a table by making it anew, and others point to it meanwhile."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


main()
