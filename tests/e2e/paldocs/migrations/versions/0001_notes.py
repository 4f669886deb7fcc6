"""Projects, notes, tags and links."""
import sqlalchemy as sa
from alembic import op

revision = "0001_notes"
down_revision = None


def upgrade():
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("slug", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("repo_url", sa.String),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime, nullable=False, server_default=sa.func.now()))
    op.create_index("ix_projects_slug", "projects", ["slug"], unique=True)
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("slug", sa.String, nullable=False),
        sa.Column("html_content", sa.Text, nullable=False),
        sa.Column("project_id", sa.Integer, sa.ForeignKey("projects.id")),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime, nullable=False, server_default=sa.func.now()))
    op.create_index("ix_notes_slug", "notes", ["slug"], unique=True)
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False))
    op.create_index("ix_tags_name", "tags", ["name"], unique=True)
    op.create_table(
        "note_tags",
        sa.Column("note_id", sa.Integer, sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("tag_id", sa.Integer, sa.ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True))
    op.create_table(
        "note_links",
        sa.Column("source_note_id", sa.Integer, sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("target_note_id", sa.Integer, sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True))


def downgrade():
    for table in ("note_links", "note_tags", "tags", "notes", "projects"):
        op.drop_table(table)
