"""Notes, their revisions, tags and links; tags by themselves."""
from typing import List, Optional

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Query
from sqlalchemy.orm import Session

from .database import session
from .lookup import find, find_id, require_free, tag
from .models import Note, NoteRevision, Project, Tag
from .schemas import NewNote, NoteIn, NoteOut, NoteSummary, RevisionOut, TagIn, TagOut

router = APIRouter()


def last_revision(db, note):
    query = sa.select(sa.func.coalesce(sa.func.max(NoteRevision.revision_number), 0))
    return db.execute(query.where(NoteRevision.note_id == note.id)).scalar_one()


def revise(db, note):
    db.add(NoteRevision(note_id=note.id, html_content=note.html_content, revised_by="api",
                        revision_number=last_revision(db, note) + 1))


def shown(db, note):
    return NoteOut(
        **NoteSummary.from_orm(note).dict(), html_content=note.html_content, position=note.position,
        project=note.project and note.project.slug, parent=note.parent and note.parent.slug,
        created_at=note.created_at, tags=[t.name for t in note.tags], links=[n.slug for n in note.links],
        revision=last_revision(db, note))


def fill(db, note, body):
    for name in ("title", "html_content", "is_public", "note_type", "status", "position"):
        setattr(note, name, getattr(body, name))
    note.project_id = find_id(db, Project, body.project)
    note.parent_note_id = find_id(db, Note, body.parent)


@router.get("/notes", response_model=List[NoteSummary])
def list_notes(project: Optional[str] = None, tag: Optional[str] = None, q: Optional[str] = None,
               limit: int = Query(50, ge=1, le=1000), offset: int = Query(0, ge=0), db: Session = Depends(session)):
    query = sa.select(Note).order_by(Note.id).limit(limit).offset(offset)
    if project is not None:
        query = query.where(Note.project_id == find_id(db, Project, project))
    if tag is not None:
        query = query.where(Note.tags.any(Tag.name == tag))
    if q is not None:
        query = query.where(Note.title.ilike(f"%{q}%") | Note.html_content.ilike(f"%{q}%"))
    return db.execute(query).scalars().all()


@router.post("/notes", response_model=NoteOut, status_code=201)
def create_note(body: NewNote, db: Session = Depends(session)):
    require_free(db, Note, body.slug)
    note = Note(slug=body.slug)
    fill(db, note, body)
    db.add(note)
    db.flush()
    note.tags = [tag(db, name) for name in sorted(set(body.tags))]
    revise(db, note)
    db.commit()
    return shown(db, note)


@router.get("/notes/{slug}", response_model=NoteOut)
def get_note(slug: str, db: Session = Depends(session)):
    return shown(db, find(db, Note, slug))


@router.put("/notes/{slug}", response_model=NoteOut)
def update_note(slug: str, body: NoteIn, db: Session = Depends(session)):
    note = find(db, Note, slug)
    changed = note.html_content != body.html_content
    fill(db, note, body)
    db.flush()
    if changed:
        revise(db, note)
    db.commit()
    return shown(db, note)


@router.delete("/notes/{slug}", status_code=204)
def delete_note(slug: str, db: Session = Depends(session)):
    note = find(db, Note, slug)
    if db.execute(sa.select(Note.id).where(Note.parent_note_id == note.id)).first():
        raise HTTPException(409, f"note '{slug}' has notes below it")
    db.delete(note)
    db.commit()


@router.get("/notes/{slug}/revisions", response_model=List[RevisionOut])
def list_revisions(slug: str, db: Session = Depends(session)):
    note = find(db, Note, slug)
    return db.execute(sa.select(NoteRevision).where(NoteRevision.note_id == note.id)
                      .order_by(NoteRevision.revision_number)).scalars().all()


@router.get("/notes/{slug}/revisions/{number}", response_model=RevisionOut)
def get_revision(slug: str, number: int, db: Session = Depends(session)):
    note = find(db, Note, slug)
    row = db.execute(sa.select(NoteRevision).where(NoteRevision.note_id == note.id,
                                                   NoteRevision.revision_number == number)).scalar_one_or_none()
    if row is None:
        raise HTTPException(404, f"note '{slug}' has no revision {number}")
    return row


@router.put("/notes/{slug}/tags/{name}", status_code=204)
def tag_note(slug: str, name: str, db: Session = Depends(session)):
    note = find(db, Note, slug)
    if name not in [t.name for t in note.tags]:
        note.tags.append(tag(db, name))
    db.commit()


@router.delete("/notes/{slug}/tags/{name}", status_code=204)
def untag_note(slug: str, name: str, db: Session = Depends(session)):
    note = find(db, Note, slug)
    note.tags = [t for t in note.tags if t.name != name]
    db.commit()


@router.put("/notes/{slug}/links/{other}", status_code=204)
def link_notes(slug: str, other: str, db: Session = Depends(session)):
    note, target = find(db, Note, slug), find(db, Note, other)
    if target not in note.links:
        note.links.append(target)
    db.commit()


@router.delete("/notes/{slug}/links/{other}", status_code=204)
def unlink_notes(slug: str, other: str, db: Session = Depends(session)):
    note, target = find(db, Note, slug), find(db, Note, other)
    note.links = [n for n in note.links if n is not target]
    db.commit()


@router.get("/tags", response_model=List[TagOut])
def list_tags(limit: int = Query(50, ge=1, le=1000), offset: int = Query(0, ge=0), db: Session = Depends(session)):
    return db.execute(sa.select(Tag).order_by(Tag.id).limit(limit).offset(offset)).scalars().all()


@router.post("/tags", response_model=TagOut, status_code=201)
def create_tag(body: TagIn, db: Session = Depends(session)):
    require_free(db, Tag, body.name, "name")
    row = Tag(name=body.name)
    db.add(row)
    db.commit()
    return row


@router.put("/tags/{name}", response_model=TagOut)
def rename_tag(name: str, body: TagIn, db: Session = Depends(session)):
    row = find(db, Tag, name, "name")
    if body.name != name:
        require_free(db, Tag, body.name, "name")
    row.name = body.name
    db.commit()
    return row


@router.delete("/tags/{name}", status_code=204)
def delete_tag(name: str, db: Session = Depends(session)):
    db.delete(find(db, Tag, name, "name"))
    db.commit()
