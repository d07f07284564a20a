"""What every table shares: its own registry (so that a hot reload does not define tables twice), and names for all constraints."""

from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Enum, MetaData
from sqlalchemy.orm import declared_attr, registry
from sqlmodel import Field, SQLModel

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMES))):
    """The parent of all tables."""


class Versioned(SQLModel):
    """A row whose form carries the version it showed: the second writer is told, instead of overwriting (house trap 5)."""

    version: int = Field(default=1, nullable=False)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version} if hasattr(cls, "__table__") else {}


def closed(states: type[StrEnum], name: str | None = None) -> Any:  # noqa: ANN401 - SQLModel's sa_type takes any type
    """Return a column type that holds the values of an enum and nothing else, as text with a CHECK.

    The CHECK is named after the enum; the second column of one enum in a table needs a `name` of its own.
    """
    return Enum(
        states,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=True,
        name=name or "".join("_" + char.lower() if char.isupper() else char for char in states.__name__).lstrip("_"),
        length=40,
    )


Moves = ClassVar[dict[StrEnum, frozenset[StrEnum]]]
