"""Schema migrations, run by alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import Engine

from khien.errors import StoreError


def migration_config() -> Config:
    """Return alembic's configuration, made in code so that no ini file has to be found."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(engine: Engine, revision: str | None) -> None:
    """Bring the database from the given revision to the newest one.

    Raises:
        StoreError: the revision is not known to this program, so a newer one made it.
    """
    config = migration_config()
    try:
        if revision is not None:
            ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError as error:
        raise StoreError(
            f"the store was made by a newer Khiên (schema {revision}); upgrade this one"
        ) from error
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
