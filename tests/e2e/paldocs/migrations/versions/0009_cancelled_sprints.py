"""A sprint may be cancelled. SQLite has no CHECK that would have to know."""
import sqlalchemy as sa
from alembic import op

revision = "0009_cancelled_sprints"
down_revision = "0008_sprints"


def replace_check(values):
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("ck_sprints_status", "sprints")
        op.create_check_constraint("ck_sprints_status", "sprints", f"status IN ({values})")


def upgrade():
    replace_check("'planned', 'active', 'completed', 'cancelled'")


def downgrade():
    replace_check("'planned', 'active', 'completed'")
