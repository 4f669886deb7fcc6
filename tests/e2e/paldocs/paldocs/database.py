"""The engine, and a session per request."""
import sqlalchemy as sa
from sqlalchemy.orm import sessionmaker

from .settings import settings

_SQLITE = settings.sqlalchemy_url.startswith("sqlite")

engine = sa.create_engine(
    settings.sqlalchemy_url,
    connect_args={"check_same_thread": False, "timeout": 30} if _SQLITE else {},
    pool_pre_ping=not _SQLITE)

if _SQLITE:
    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection, _record):
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

_Session = sessionmaker(bind=engine, expire_on_commit=False)


def session():
    with _Session() as opened:
        yield opened
