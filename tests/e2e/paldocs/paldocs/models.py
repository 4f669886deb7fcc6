"""The tables."""
import datetime

import sqlalchemy as sa
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()

SPRINT_STATUSES = ("planned", "active", "completed", "cancelled")
ITEM_TYPES = ("note", "issue", "todo", "repo_issue")
ITEM_STATUSES = ("backlog", "todo", "in_progress", "qa", "needs_fix", "done")


def enum(*values):
    return sa.Enum(*values, native_enum=False, create_constraint=False)


def created_at():
    return sa.Column(sa.DateTime, nullable=False, default=datetime.datetime.utcnow, server_default=sa.func.now())


def updated_at():
    return sa.Column(sa.DateTime, nullable=False, default=datetime.datetime.utcnow,
                     onupdate=datetime.datetime.utcnow, server_default=sa.func.now())


note_tags = sa.Table(
    "note_tags", Base.metadata,
    sa.Column("note_id", sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True))

note_links = sa.Table(
    "note_links", Base.metadata,
    sa.Column("source_note_id", sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("target_note_id", sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True))


class User(Base):
    __tablename__ = "users"
    id = sa.Column(sa.Integer, primary_key=True)
    username = sa.Column(sa.String, nullable=False, unique=True, index=True)
    email = sa.Column(sa.String)
    password_hash = sa.Column(sa.String)
    role = sa.Column(sa.String, nullable=False, server_default="viewer")
    is_approved = sa.Column(sa.Boolean, nullable=False, server_default=sa.true())
    created_at = created_at()


class Project(Base):
    __tablename__ = "projects"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String, nullable=False)
    slug = sa.Column(sa.String, nullable=False, unique=True, index=True)
    platform = sa.Column(sa.String, nullable=False)
    repo_url = sa.Column(sa.String)
    created_at = created_at()
    updated_at = updated_at()
    # In a circle with notes.project_id.
    page_note_id = sa.Column(sa.ForeignKey("notes.id", name="fk_projects_page_note_id", ondelete="SET NULL",
                                           use_alter=True))
    page = relationship("Note", foreign_keys=[page_note_id], post_update=True)


class Repo(Base):
    __tablename__ = "repos"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String, nullable=False)
    slug = sa.Column(sa.String, nullable=False, unique=True, index=True)
    platform = sa.Column(sa.String, nullable=False)
    url = sa.Column(sa.String)
    project_id = sa.Column(sa.ForeignKey("projects.id", ondelete="SET NULL"))
    created_at = created_at()
    updated_at = updated_at()


class Tag(Base):
    __tablename__ = "tags"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String, nullable=False, unique=True, index=True)


class Note(Base):
    __tablename__ = "notes"
    __table_args__ = (sa.Index("ix_notes_parent_position", "parent_note_id", "position"),)
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String, nullable=False)
    slug = sa.Column(sa.String, nullable=False, unique=True, index=True)
    html_content = sa.Column(sa.Text, nullable=False)
    project_id = sa.Column(sa.ForeignKey("projects.id"))
    is_public = sa.Column(sa.Boolean, nullable=False, default=False)
    created_at = created_at()
    updated_at = updated_at()
    note_type = sa.Column(sa.String)
    status = sa.Column(sa.String)
    parent_note_id = sa.Column(sa.ForeignKey("notes.id", name="fk_notes_parent_note_id", ondelete="RESTRICT"))
    position = sa.Column(sa.Integer)
    project = relationship("Project", foreign_keys=[project_id])
    parent = relationship("Note", remote_side=[id])
    tags = relationship("Tag", secondary=note_tags, order_by="Tag.name", passive_deletes=True)
    links = relationship("Note", secondary=note_links, order_by="Note.slug", passive_deletes=True,
                         primaryjoin=id == note_links.c.source_note_id,
                         secondaryjoin=id == note_links.c.target_note_id)


class NoteRevision(Base):
    __tablename__ = "note_revisions"
    __table_args__ = (sa.UniqueConstraint("note_id", "revision_number", name="uq_note_revision"),)
    id = sa.Column(sa.Integer, primary_key=True)
    note_id = sa.Column(sa.ForeignKey("notes.id", ondelete="CASCADE"), nullable=False)
    html_content = sa.Column(sa.Text, nullable=False)
    revised_by = sa.Column(sa.String)
    revised_at = created_at()
    revision_number = sa.Column(sa.Integer, nullable=False)


class Sprint(Base):
    __tablename__ = "sprints"
    id = sa.Column(sa.Integer, primary_key=True)
    slug = sa.Column(sa.String, nullable=False, unique=True, index=True)
    name = sa.Column(sa.String, nullable=False)
    goal = sa.Column(sa.Text)
    status = sa.Column(enum(*SPRINT_STATUSES), nullable=False)
    project_id = sa.Column(sa.ForeignKey("projects.id"))
    start_date = sa.Column(sa.Date)
    end_date = sa.Column(sa.Date)
    created_at = created_at()
    updated_at = updated_at()
    project = relationship("Project")
    items = relationship("SprintItem", order_by="SprintItem.position", passive_deletes=True,
                         back_populates="sprint")


class SprintItem(Base):
    __tablename__ = "sprint_items"
    __table_args__ = (sa.UniqueConstraint("sprint_id", "position", name="uq_sprint_item_position"),)
    id = sa.Column(sa.Integer, primary_key=True)
    sprint_id = sa.Column(sa.ForeignKey("sprints.id", ondelete="CASCADE"), nullable=False)
    note_id = sa.Column(sa.ForeignKey("notes.id", ondelete="SET NULL"))
    item_type = sa.Column(enum(*ITEM_TYPES), nullable=False)
    status = sa.Column(enum(*ITEM_STATUSES), nullable=False)
    title = sa.Column(sa.String, nullable=False)
    forgejo_issue_url = sa.Column(sa.String)
    labels = sa.Column(sa.JSON)
    position = sa.Column(sa.Integer, nullable=False)
    created_at = created_at()
    updated_at = updated_at()
    sprint = relationship("Sprint", back_populates="items")
    note = relationship("Note")
