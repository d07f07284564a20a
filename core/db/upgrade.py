"""Brings a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

MIGRATIONS = Path(__file__).resolve().parent.parent.parent / "migrations"


def config(engine: Engine) -> Config:
    """Return alembic's configuration for a database."""
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS))
    found.attributes["engine"] = engine
    return found


def upgrade(engine: Engine) -> None:
    """Apply the migrations a database does not have yet; one that has them all is left alone."""
    command.upgrade(config(engine), "head")
