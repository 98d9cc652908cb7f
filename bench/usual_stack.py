"""The usual stack on the same tables: FastAPI, SQLAlchemy 2 with its async ORM, a response model for every reply.

Written as the documentation of both shows it: a session per request, the key looked up at every request,
relationships loaded eagerly where they are needed, one commit at the end.
"""

import hashlib
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request
from pydantic import AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Numeric, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload


class Table(DeclarativeBase):
    type_annotation_map = {int: BigInteger, datetime: DateTime(timezone=True), Decimal: Numeric}  # noqa: RUF012


class Organisation(Table):
    __tablename__ = "organisation"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    closed_at: Mapped[datetime | None]


class ApiKey(Table):
    __tablename__ = "api_key"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    digest: Mapped[bytes]
    role: Mapped[str]
    valid_until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    organisation: Mapped[Organisation] = relationship()


class Contract(Table):
    __tablename__ = "contract"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    seq: Mapped[int]
    distributor_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    reserved_capacity: Mapped[int]
    allocated_capacity: Mapped[int]
    price_cents: Mapped[Decimal]
    currency: Mapped[str]
    details: Mapped[str | None]


class Partner(Table):
    __tablename__ = "partner"
    id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True))
    distributor_id: Mapped[UUID]
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    allocated_capacity: Mapped[int]
    allow_overdraft: Mapped[bool | None]
    closed_at: Mapped[datetime | None]
    organisation: Mapped[Organisation] = relationship()
    contract: Mapped[Contract] = relationship()

    @property
    def name(self) -> str:
        return self.organisation.name


class PartnerTerms(Table):
    __tablename__ = "partner_terms"
    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    valid_from: Mapped[datetime]
    contract_id: Mapped[UUID]
    allocated_capacity: Mapped[int]
    allow_overdraft: Mapped[bool]


class AuditEntry(Table):
    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    actor_organisation_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    action: Mapped[str]
    subject_id: Mapped[str]
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)


class StorageAccount(Table):
    __tablename__ = "storage_account"
    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    name: Mapped[str]
    allocated_capacity: Mapped[int]
    days: Mapped[list["DailyUsage"]] = relationship(order_by="DailyUsage.day")


class DailyUsage(Table):
    __tablename__ = "daily_usage"
    account_id: Mapped[int] = mapped_column(ForeignKey("storage_account.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    usage: Mapped[int]


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True, alias_generator=AliasGenerator(serialization_alias=to_camel))


class ContractOut(Out):
    id: UUID
    distributor_id: UUID
    reserved_capacity: int
    allocated_capacity: int
    price_cents: Decimal = Field(serialization_alias="costStorageGBCents")
    currency: str
    details: str | None


class PartnerIn(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)
    distributor_contract_id: UUID
    name: str = Field(min_length=1, max_length=200)
    allocated_capacity: int = Field(ge=0)
    allow_overdraft: bool | None = None


class PartnerOut(Out):
    id: UUID
    contract_id: UUID = Field(serialization_alias="distributorContractId")
    name: str
    allocated_capacity: int
    allow_overdraft: bool | None


class DayOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    day: date = Field(serialization_alias="date")
    usage: int


class UsageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int = Field(serialization_alias="client_id")
    name: str
    allocated_capacity: int
    days: list[DayOut] = Field(serialization_alias="daily_usage")


async def _session(request: Request) -> AsyncGenerator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session)]


async def _caller(session: Session, authorization: Annotated[str, Header()] = "") -> ApiKey:
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest()
    query = select(ApiKey).where(ApiKey.digest == digest).options(joinedload(ApiKey.organisation))
    key = await session.scalar(query)
    if key is None or key.revoked_at or (key.valid_until and key.valid_until <= datetime.now(UTC)):
        raise HTTPException(401, "unknown key")
    if key.organisation.kind != "distributor" or key.organisation.closed_at:
        raise HTTPException(403, "not a distributor")
    return key


Caller = Annotated[ApiKey, Depends(_caller)]
routes = APIRouter(prefix="/v1")


@routes.get("/contract/list", response_model=list[ContractOut])
async def list_contracts(session: Session, caller: Caller) -> Any:
    query = select(Contract).where(Contract.distributor_id == caller.organisation_id).order_by(Contract.seq)
    return (await session.scalars(query)).all()


@routes.get("/contract/{contract_id}/partners", response_model=list[PartnerOut])
async def list_partners(contract_id: UUID, session: Session, caller: Caller) -> Any:
    contract = await session.get(Contract, contract_id)
    if contract is None or contract.distributor_id != caller.organisation_id:
        raise HTTPException(404, "no such contract")
    query = select(Partner).where(Partner.contract_id == contract_id, Partner.closed_at.is_(None))
    return (await session.scalars(query.options(joinedload(Partner.organisation)).order_by(Partner.seq))).all()


@routes.post("/partner", response_model=PartnerOut, status_code=201)
async def create_partner(details: PartnerIn, session: Session, caller: Caller) -> Any:
    scope, now = caller.organisation_id, datetime.now(UTC)
    contract = await session.get(Contract, details.distributor_contract_id, with_for_update=True)
    if contract is None or contract.distributor_id != scope:
        raise HTTPException(404, "no such contract")
    if contract.reserved_capacity - contract.allocated_capacity < details.allocated_capacity:
        raise HTTPException(409, "not enough capacity")
    contract.allocated_capacity += details.allocated_capacity
    key = details.name.casefold()
    organisation = Organisation(id=uuid4(), kind="partner", parent_id=scope, name=details.name, name_key=key)
    terms = {"allocated_capacity": details.allocated_capacity, "contract_id": contract.id}
    partner = Partner(
        organisation=organisation, distributor_id=scope, contract=contract, allow_overdraft=details.allow_overdraft,
        allocated_capacity=details.allocated_capacity,
    )  # fmt: skip
    session.add(partner)
    await session.flush()
    session.add(PartnerTerms(partner_id=partner.id, valid_from=now, allow_overdraft=False, **terms))
    session.add(
        AuditEntry(
            actor_kind="key", actor_id=caller.id, actor_organisation_id=scope, organisation_id=partner.id,
            action="partner.create", subject_id=str(partner.id), after={"name": details.name},
        )
    )  # fmt: skip
    await session.commit()
    return partner


@routes.get("/partner/{partner_id}/usage", response_model=list[UsageOut])
async def list_usage(
    partner_id: UUID,
    session: Session,
    caller: Caller,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
) -> Any:
    partner = await session.get(Partner, partner_id)
    if partner is None or partner.distributor_id != caller.organisation_id:
        raise HTTPException(404, "no such partner")
    days = selectinload(StorageAccount.days.and_(DailyUsage.day.between(first, last)))
    query = select(StorageAccount).where(StorageAccount.partner_id == partner_id).options(days)
    return (await session.scalars(query.order_by(StorageAccount.seq))).all()


def create_usual_app(url: str) -> FastAPI:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+psycopg:"), pool_size=8)
    app = FastAPI()
    app.state.engine = engine
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    app.include_router(routes)
    return app
