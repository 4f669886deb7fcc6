"""Runs the migrations on the database that the settings name."""
import sqlalchemy as sa
from alembic import context

from paldocs.models import Base
from paldocs.settings import settings

# Not the application's engine: batch_alter_table drops and renames tables, which must not cascade,
# so PRAGMA foreign_keys stays off here.
engine = sa.create_engine(settings.sqlalchemy_url)

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
