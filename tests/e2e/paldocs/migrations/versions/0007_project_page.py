"""A project has a note as its page: the circle."""
import sqlalchemy as sa
from alembic import op

revision = "0007_project_page"
down_revision = "0006_hierarchy"


def upgrade():
    with op.batch_alter_table("projects") as batch:
        batch.add_column(sa.Column("page_note_id", sa.Integer))
        batch.create_foreign_key("fk_projects_page_note_id", "notes", ["page_note_id"], ["id"], ondelete="SET NULL")


def downgrade():
    with op.batch_alter_table("projects") as batch:
        batch.drop_constraint("fk_projects_page_note_id", type_="foreignkey")
        batch.drop_column("page_note_id")
