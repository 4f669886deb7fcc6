"""Every content that a note has had."""
import sqlalchemy as sa
from alembic import op

revision = "0002_revisions"
down_revision = "0001_notes"


def upgrade():
    op.create_table(
        "note_revisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("note_id", sa.Integer, sa.ForeignKey("notes.id", ondelete="CASCADE"), nullable=False),
        sa.Column("html_content", sa.Text, nullable=False),
        sa.Column("revised_by", sa.String),
        sa.Column("revised_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.Column("revision_number", sa.Integer, nullable=False),
        sa.UniqueConstraint("note_id", "revision_number", name="uq_note_revision"))


def downgrade():
    op.drop_table("note_revisions")
