"""Finding things by their names, or answering 404 and 409."""
import sqlalchemy as sa
from fastapi import HTTPException

from . import models


def find(session, model, value, column="slug"):
    row = session.execute(sa.select(model).where(getattr(model, column) == value)).scalar_one_or_none()
    if row is None:
        raise HTTPException(404, f"no {model.__name__.lower()} '{value}'")
    return row


def find_id(session, model, value):
    """Of what a request refers to: nothing for None."""
    return None if value is None else find(session, model, value).id


def require_free(session, model, value, column="slug"):
    taken = session.execute(sa.select(model.id).where(getattr(model, column) == value)).first()
    if taken is not None:
        raise HTTPException(409, f"{model.__name__.lower()} '{value}' exists")


def tag(session, name):
    """The tag of that name, made when there is none."""
    row = session.execute(sa.select(models.Tag).where(models.Tag.name == name)).scalar_one_or_none()
    if row is None:
        row = models.Tag(name=name)
        session.add(row)
    return row
