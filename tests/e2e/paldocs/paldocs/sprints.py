"""Sprints and what is in them, in order."""
from typing import List

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Query
from sqlalchemy.orm import Session

from .database import session
from .lookup import find, find_id, require_free
from .models import Note, Project, Sprint, SprintItem
from .schemas import ItemIn, ItemOut, NewSprint, SprintIn, SprintOut

router = APIRouter()


def shown_item(item):
    return ItemOut(id=item.id, position=item.position, title=item.title, item_type=item.item_type, status=item.status,
                   note=item.note and item.note.slug, forgejo_issue_url=item.forgejo_issue_url, labels=item.labels)


def shown(sprint):
    return SprintOut(id=sprint.id, slug=sprint.slug, name=sprint.name, goal=sprint.goal, status=sprint.status,
                     project=sprint.project and sprint.project.slug, start_date=sprint.start_date,
                     end_date=sprint.end_date, items=[shown_item(item) for item in sprint.items],
                     created_at=sprint.created_at, updated_at=sprint.updated_at)


def fill(db, sprint, body):
    for name in ("name", "goal", "status", "start_date", "end_date"):
        setattr(sprint, name, getattr(body, name))
    sprint.project_id = find_id(db, Project, body.project)


def find_item(sprint, position):
    for item in sprint.items:
        if item.position == position:
            return item
    raise HTTPException(404, f"sprint '{sprint.slug}' has nothing at {position}")


@router.get("/sprints", response_model=List[SprintOut])
def list_sprints(limit: int = Query(50, ge=1, le=1000), offset: int = Query(0, ge=0),
                 db: Session = Depends(session)):
    rows = db.execute(sa.select(Sprint).order_by(Sprint.id).limit(limit).offset(offset)).scalars()
    return [shown(row) for row in rows]


@router.post("/sprints", response_model=SprintOut, status_code=201)
def create_sprint(body: NewSprint, db: Session = Depends(session)):
    require_free(db, Sprint, body.slug)
    row = Sprint(slug=body.slug)
    fill(db, row, body)
    db.add(row)
    db.commit()
    return shown(row)


@router.get("/sprints/{slug}", response_model=SprintOut)
def get_sprint(slug: str, db: Session = Depends(session)):
    return shown(find(db, Sprint, slug))


@router.put("/sprints/{slug}", response_model=SprintOut)
def update_sprint(slug: str, body: SprintIn, db: Session = Depends(session)):
    row = find(db, Sprint, slug)
    fill(db, row, body)
    db.commit()
    return shown(row)


@router.delete("/sprints/{slug}", status_code=204)
def delete_sprint(slug: str, db: Session = Depends(session)):
    db.delete(find(db, Sprint, slug))
    db.commit()


@router.put("/sprints/{slug}/items/{position}", response_model=ItemOut)
def put_item(slug: str, position: int, body: ItemIn, db: Session = Depends(session)):
    """At this place: a new item, or what is there is changed."""
    sprint = find(db, Sprint, slug)
    item = next((i for i in sprint.items if i.position == position), None)
    if item is None:
        item = SprintItem(sprint_id=sprint.id, position=position)
        db.add(item)
    for name in ("title", "item_type", "status", "forgejo_issue_url", "labels"):
        setattr(item, name, getattr(body, name))
    item.note_id = find_id(db, Note, body.note)
    db.commit()
    return shown_item(item)


@router.put("/sprints/{slug}/items/{position}/swap/{other}", status_code=204)
def swap_items(slug: str, position: int, other: int, db: Session = Depends(session)):
    """Through a third place: (sprint, position) is unique at every moment."""
    sprint = find(db, Sprint, slug)
    first, second = find_item(sprint, position), find_item(sprint, other)
    first.position = -1
    db.flush()
    second.position = position
    db.flush()
    first.position = other
    db.commit()


@router.delete("/sprints/{slug}/items/{position}", status_code=204)
def delete_item(slug: str, position: int, db: Session = Depends(session)):
    db.delete(find_item(find(db, Sprint, slug), position))
    db.commit()
