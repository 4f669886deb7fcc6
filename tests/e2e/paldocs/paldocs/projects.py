"""Projects and their pages."""
from typing import List

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Query
from sqlalchemy.orm import Session

from .database import session
from .lookup import find, require_free
from .models import Note, Project, Sprint
from .schemas import NewProject, ProjectIn, ProjectOut

router = APIRouter()


def shown(project):
    return ProjectOut(id=project.id, slug=project.slug, name=project.name, platform=project.platform,
                      repo_url=project.repo_url, page=project.page and project.page.slug,
                      created_at=project.created_at, updated_at=project.updated_at)


@router.get("/projects", response_model=List[ProjectOut])
def list_projects(limit: int = Query(50, ge=1, le=1000), offset: int = Query(0, ge=0),
                  db: Session = Depends(session)):
    rows = db.execute(sa.select(Project).order_by(Project.id).limit(limit).offset(offset)).scalars()
    return [shown(row) for row in rows]


@router.post("/projects", response_model=ProjectOut, status_code=201)
def create_project(body: NewProject, db: Session = Depends(session)):
    require_free(db, Project, body.slug)
    row = Project(**body.dict())
    db.add(row)
    db.commit()
    return shown(row)


@router.get("/projects/{slug}", response_model=ProjectOut)
def get_project(slug: str, db: Session = Depends(session)):
    return shown(find(db, Project, slug))


@router.put("/projects/{slug}", response_model=ProjectOut)
def update_project(slug: str, body: ProjectIn, db: Session = Depends(session)):
    row = find(db, Project, slug)
    for name, value in body.dict().items():
        setattr(row, name, value)
    db.commit()
    return shown(row)


@router.put("/projects/{slug}/page/{note}", response_model=ProjectOut)
def turn_page(slug: str, note: str, db: Session = Depends(session)):
    """The circle: a note of the project becomes its page."""
    row, page = find(db, Project, slug), find(db, Note, note)
    if page.project_id != row.id:
        raise HTTPException(422, f"note '{note}' is not of project '{slug}'")
    row.page = page
    db.commit()
    return shown(row)


@router.delete("/projects/{slug}", status_code=204)
def delete_project(slug: str, db: Session = Depends(session)):
    row = find(db, Project, slug)
    for model in (Note, Sprint):
        if db.execute(sa.select(model.id).where(model.project_id == row.id)).first():
            raise HTTPException(409, f"project '{slug}' is in use")
    db.delete(row)
    db.commit()
