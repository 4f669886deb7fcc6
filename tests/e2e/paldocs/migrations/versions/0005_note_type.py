"""A note has a type and a status."""
import sqlalchemy as sa
from alembic import op

revision = "0005_note_type"
down_revision = "0004_users"


def upgrade():
    op.add_column("notes", sa.Column("note_type", sa.String))
    op.add_column("notes", sa.Column("status", sa.String))


def downgrade():
    with op.batch_alter_table("notes") as batch:
        batch.drop_column("status")
        batch.drop_column("note_type")
