"""How alembic reaches the database: the engine it is handed, else the one of this installation."""

from alembic import context

import core.models
from core.db import Base, engine

assert core.models.__all__  # Importing the package is what defines the tables.


def main() -> None:
    """Run the migrations in one transaction."""
    with context.config.attributes.get("engine", engine()).connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            user_module_prefix="sqlmodel.",
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


main()
