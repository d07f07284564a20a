"""What an installation decides: environment variables `GUICHET_*`, or the same names in `.streamlit/secrets.toml`."""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
MIN_KEY_BYTES = 32


class Mode(StrEnum):
    """What the installation is for."""

    DEMO = "demo"
    LIVE = "live"


class _Secrets(PydanticBaseSettingsSource):
    """Reads `GUICHET_*` names at the top level of `.streamlit/secrets.toml`, where a host such as Community Cloud keeps them."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ANN401, ARG002 - the base class's signature
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = ROOT / ".streamlit" / "secrets.toml"
        if not path.exists():
            return {}
        found = tomllib.loads(path.read_text("utf-8"))
        prefix = "GUICHET_"
        return {key.removeprefix(prefix).lower(): value for key, value in found.items() if key.startswith(prefix)}


class Settings(BaseSettings):
    """The settings of this installation; see docs/operations.md."""

    model_config = SettingsConfigDict(env_prefix="GUICHET_", extra="ignore")

    database_url: str = f"sqlite:///{DATA / 'guichet.db'}"
    documents_url: str = f"file://{DATA / 'documents'}"
    mode: Mode = Mode.DEMO
    cookie_key: str | None = Field(default=None, repr=False)
    smtp_url: str | None = Field(default=None, repr=False)
    public_url: str | None = None
    peppol_url: str | None = Field(default=None, repr=False, pattern=r"^https?://")

    @property
    def demo(self) -> bool:
        """Whether sample accounts, the movable clock and the reset are there."""
        return self.mode is Mode.DEMO

    @model_validator(mode="after")
    def _live_needs_a_key(self) -> "Settings":
        if self.mode is Mode.LIVE and len((self.cookie_key or "").encode()) < MIN_KEY_BYTES:
            msg = f"GUICHET_COOKIE_KEY must be set, {MIN_KEY_BYTES} bytes or more, in live mode."
            raise ValueError(msg)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the environment before the secrets file, and nothing else."""
        return init_settings, env_settings, _Secrets(settings_cls)


@cache
def settings() -> Settings:
    """Return the settings, read once per process."""
    return Settings()
