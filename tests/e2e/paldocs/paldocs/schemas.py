"""What goes in and out, as JSON."""
import datetime
from typing import Any, List, Literal, Optional

from pydantic import BaseModel, Field

from .models import ITEM_STATUSES, ITEM_TYPES, SPRINT_STATUSES

Slug = Field(regex=r"^[a-z0-9][a-z0-9-]*$")


class Out(BaseModel):
    class Config:
        orm_mode = True


class NoteIn(BaseModel):
    title: str
    html_content: str = ""
    project: Optional[str] = None
    is_public: bool = False
    note_type: Optional[str] = None
    status: Optional[str] = None
    parent: Optional[str] = None
    position: Optional[int] = None


class NewNote(NoteIn):
    slug: str = Slug
    tags: List[str] = []


class NoteSummary(Out):
    id: int
    slug: str
    title: str
    is_public: bool
    note_type: Optional[str]
    status: Optional[str]
    updated_at: datetime.datetime


class NoteOut(NoteSummary):
    html_content: str
    project: Optional[str]
    parent: Optional[str]
    position: Optional[int]
    created_at: datetime.datetime
    tags: List[str]
    links: List[str]
    revision: int


class RevisionOut(Out):
    id: int
    revision_number: int
    html_content: str
    revised_by: Optional[str]
    revised_at: datetime.datetime


class TagIn(BaseModel):
    name: str = Field(min_length=1)


class TagOut(Out):
    id: int
    name: str


class ProjectIn(BaseModel):
    name: str
    platform: str = "forgejo"
    repo_url: Optional[str] = None


class NewProject(ProjectIn):
    slug: str = Slug


class ProjectOut(Out):
    id: int
    slug: str
    name: str
    platform: str
    repo_url: Optional[str]
    page: Optional[str]
    created_at: datetime.datetime
    updated_at: datetime.datetime


class SprintIn(BaseModel):
    name: str
    goal: Optional[str] = None
    status: Literal[SPRINT_STATUSES] = "planned"
    project: Optional[str] = None
    start_date: Optional[datetime.date] = None
    end_date: Optional[datetime.date] = None


class NewSprint(SprintIn):
    slug: str = Slug


class ItemIn(BaseModel):
    title: str
    item_type: Literal[ITEM_TYPES] = "note"
    status: Literal[ITEM_STATUSES] = "backlog"
    note: Optional[str] = None
    forgejo_issue_url: Optional[str] = None
    labels: Optional[Any] = None


class ItemOut(Out):
    id: int
    position: int
    title: str
    item_type: str
    status: str
    note: Optional[str]
    forgejo_issue_url: Optional[str]
    labels: Optional[Any]


class SprintOut(Out):
    id: int
    slug: str
    name: str
    goal: Optional[str]
    status: str
    project: Optional[str]
    start_date: Optional[datetime.date]
    end_date: Optional[datetime.date]
    items: List[ItemOut]
    created_at: datetime.datetime
    updated_at: datetime.datetime
