"""Repositories."""
import sqlalchemy as sa
from alembic import op

revision = "0003_repos"
down_revision = "0002_revisions"


def upgrade():
    op.create_table(
        "repos",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("slug", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("url", sa.String),
        sa.Column("project_id", sa.Integer, sa.ForeignKey("projects.id", ondelete="SET NULL")),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime, nullable=False, server_default=sa.func.now()))
    op.create_index("ix_repos_slug", "repos", ["slug"], unique=True)


def downgrade():
    op.drop_table("repos")
