"""Sprints and what is in them."""
import sqlalchemy as sa
from alembic import op

revision = "0008_sprints"
down_revision = "0007_project_page"


def postgresql():
    return op.get_bind().dialect.name == "postgresql"


def upgrade():
    op.create_table(
        "sprints",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("goal", sa.Text),
        sa.Column("status", sa.String(9), nullable=False),
        sa.Column("project_id", sa.Integer, sa.ForeignKey("projects.id")),
        sa.Column("start_date", sa.Date),
        sa.Column("end_date", sa.Date),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime, nullable=False, server_default=sa.func.now()))
    op.create_index("ix_sprints_slug", "sprints", ["slug"], unique=True)
    op.create_table(
        "sprint_items",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sprint_id", sa.Integer, sa.ForeignKey("sprints.id", ondelete="CASCADE"), nullable=False),
        sa.Column("note_id", sa.Integer, sa.ForeignKey("notes.id", ondelete="SET NULL")),
        sa.Column("item_type", sa.String(10), nullable=False),
        sa.Column("status", sa.String(11), nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("forgejo_issue_url", sa.String),
        sa.Column("labels", sa.JSON),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.UniqueConstraint("sprint_id", "position", name="uq_sprint_item_position"))
    if postgresql():
        op.create_check_constraint("ck_sprints_status", "sprints", "status IN ('planned', 'active', 'completed')")
        op.create_check_constraint("ck_sprint_items_type", "sprint_items",
                                   "item_type IN ('note', 'issue', 'todo', 'repo_issue')")


def downgrade():
    op.drop_table("sprint_items")
    op.drop_table("sprints")
