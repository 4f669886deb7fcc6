"""Notes below notes."""
import sqlalchemy as sa
from alembic import op

revision = "0006_hierarchy"
down_revision = "0005_note_type"


def upgrade():
    # SQLite cannot add a foreign key: the table is built anew.
    with op.batch_alter_table("notes") as batch:
        batch.add_column(sa.Column("parent_note_id", sa.Integer))
        batch.add_column(sa.Column("position", sa.Integer))
        batch.create_foreign_key("fk_notes_parent_note_id", "notes", ["parent_note_id"], ["id"], ondelete="RESTRICT")
    op.create_index("ix_notes_parent_position", "notes", ["parent_note_id", "position"])


def downgrade():
    op.drop_index("ix_notes_parent_position", "notes")
    with op.batch_alter_table("notes") as batch:
        batch.drop_constraint("fk_notes_parent_note_id", type_="foreignkey")
        batch.drop_column("position")
        batch.drop_column("parent_note_id")
