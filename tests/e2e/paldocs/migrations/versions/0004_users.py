"""Users."""
import sqlalchemy as sa
from alembic import op

revision = "0004_users"
down_revision = "0003_repos"


def upgrade():
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("username", sa.String, nullable=False),
        sa.Column("email", sa.String),
        sa.Column("password_hash", sa.String),
        sa.Column("role", sa.String, nullable=False, server_default="viewer"),
        sa.Column("is_approved", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()))
    op.create_index("ix_users_username", "users", ["username"], unique=True)


def downgrade():
    op.drop_table("users")
