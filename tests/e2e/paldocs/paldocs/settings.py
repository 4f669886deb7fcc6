"""What the environment says."""
from typing import Optional

from pydantic import BaseSettings


class Settings(BaseSettings):
    database_path: str = "paldocs.db"
    database_url: Optional[str] = None

    class Config:
        env_prefix = "PALDOCS_"

    @property
    def sqlalchemy_url(self):
        return self.database_url or f"sqlite:///{self.database_path}"


settings = Settings()
