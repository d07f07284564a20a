"""What a customer asked for: options on and off, decoders, house moves."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.db.base import Base, Versioned, closed


class OrderCategory(StrEnum):
    """What an order is about."""

    NEW = "new"
    OPTION = "option"
    DECODER = "decoder"
    PLAN = "plan"
    MOVE = "move"
    CANCEL = "cancel"
    UNDO = "undo"


class OrderState(StrEnum):
    """TMF622."""

    ACKNOWLEDGED = "acknowledged"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


S = OrderState
ORDER_MOVES: dict[OrderState, frozenset[OrderState]] = {
    S.ACKNOWLEDGED: frozenset({S.HELD, S.IN_PROGRESS, S.COMPLETED, S.REJECTED, S.CANCELLED}),
    S.HELD: frozenset({S.IN_PROGRESS, S.COMPLETED, S.CANCELLED}),
    S.IN_PROGRESS: frozenset({S.HELD, S.COMPLETED, S.CANCELLED}),
    S.COMPLETED: frozenset(),
    S.REJECTED: frozenset(),
    S.CANCELLED: frozenset(),
}


class ProductOrder(Versioned, Base, table=True):
    """A row is one change that was asked for and confirmed; undoing it is another order that names it."""

    __tablename__ = "product_order"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        ForeignKeyConstraint(["customer_id", "undoes_id"], ["product_order.customer_id", "product_order.id"]),
        Index("uq_product_order_undoes", "undoes_id", unique=True),
        Index("ix_product_order_customer", "customer_id", "created_at"),
        Index("ix_product_order_created", "created_at", "id"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    order_no: str = Field(max_length=16, unique=True)
    category: OrderCategory = Field(sa_type=closed(OrderCategory))
    channel: str = Field(max_length=20)
    state: OrderState = Field(sa_type=closed(OrderState))
    effective_on: date
    undo_until_at: datetime | None = None
    undoes_id: int | None = None
    created_by: str = Field(max_length=60)
    created_at: datetime
    completed_at: datetime | None = None


class ItemAction(StrEnum):
    """What an item does to a product (TMF622)."""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"


class OrderItem(Base, table=True):
    """A row is one product that an order adds, changes or ends."""

    __tablename__ = "order_item"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "order_id"], ["product_order.customer_id", "product_order.id"]),
        ForeignKeyConstraint(["customer_id", "product_id"], ["product.customer_id", "product.id"]),
        Index("ix_order_item_order", "customer_id", "order_id"),
        Index("ix_order_item_product", "customer_id", "product_id"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    order_id: int
    action: ItemAction = Field(sa_type=closed(ItemAction))
    product_id: int
    offering_code: str = Field(max_length=40)
    price_cents: int
    effective_on: date
    previous_until: date | None = None
    previous_status: str | None = Field(default=None, max_length=40)


class Occupancy(StrEnum):
    """In what right somebody lives at an address."""

    OWNER = "owner"
    TENANT = "tenant"


class HouseMoveFields(SQLModel):
    """What the wizard asks and the table holds (W5)."""

    move_out: date
    move_in: date
    to_street: str = Field(max_length=120)
    to_number: str = Field(max_length=12)
    to_box: str | None = Field(default=None, max_length=12)
    to_floor: str | None = Field(default=None, max_length=12)
    to_postcode: str = Field(max_length=10)
    to_town: str = Field(max_length=80)
    occupancy: Occupancy = Field(default=Occupancy.TENANT, sa_type=closed(Occupancy))
    new_build: bool = False
    keep_number: bool = False
    technician: bool = False
    contact_name: str = Field(max_length=120)
    contact_phone: str = Field(max_length=16)


class HouseMove(HouseMoveFields, Versioned, Base, table=True):
    """A row is the move of a customer's home, carried by one order."""

    __tablename__ = "house_move"
    __table_args__ = (
        UniqueConstraint("order_id"),
        ForeignKeyConstraint(["customer_id", "order_id"], ["product_order.customer_id", "product_order.id"]),
        ForeignKeyConstraint(["customer_id", "appointment_id"], ["appointment.customer_id", "appointment.id"]),
        CheckConstraint("length(to_postcode) = 4", name="to_postcode"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    order_id: int
    appointment_id: int | None = None
    fee_cents: int = 0
