"""Says whether the tables in the code and the migrations tell the same schema: the migrations are applied to an empty database first."""

import tempfile
from pathlib import Path

from alembic import command

from core.db import make_engine
from core.db.upgrade import config, upgrade


def main() -> None:
    """Exit with an error where a migration is missing."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'check.db'}")
        upgrade(engine)
        command.check(config(engine))
        engine.dispose()


if __name__ == "__main__":
    main()
