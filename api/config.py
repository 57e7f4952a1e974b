"""Configuration of the service: one frozen object, read once at the start and handed down.

Every key can be given as an environment variable `SHILU_<KEY>`; the command line overrides the environment. A variable
with the prefix that is not a key here is refused, so that a typing error does not silently leave a default in force.
"""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.errors import ConfigInvalid
from evidence.access.people import AccessMode
from ledger.errors import CodedError
from ledger.keys import check_name
from ledger.s3_place import ADDRESS_PATTERN, S3Place

PREFIX = "SHILU_"

MEBIBYTE = 1_048_576
GIBIBYTE = 1024 * MEBIBYTE


class ServiceConfig(BaseSettings):
    """All settings of `serve`, `work`, `audit` and their kin; units stand in the names."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", validate_default=True)

    data: Path = Field(
        Path("shilu-data"),
        description="Data folder: postgres/, objects/, spool/, quarantine/, work/, log/, keys/ are below it",
    )
    database: SecretStr | None = Field(
        None,
        description="Address (DSN) of a PostgreSQL >= 15; without one, an embedded server runs in the data folder",
    )
    pool_connections_max: int = Field(10, ge=4, le=200, description="Most database connections of the shared pool")
    origin: str | None = Field(
        None,
        description="The log's name, for example `evidence.example.cn/log`; chosen once, then kept in keys/log.key;"
        " without one the first start makes up a name",
    )
    log_key_passphrase_file: Path | None = Field(
        None,
        description="File with the passphrase of keys/log.key, one line, as systemd hands credentials over; the first"
        " start protects the key it makes with it; without one the key is guarded by its permissions",
    )
    log_store: str = Field(
        "folder",
        pattern=rf"^(folder|{ADDRESS_PATTERN})$",
        description="Where the log is published: `folder` for log/ in the data folder, or `s3://bucket/prefix` in"
        " S3-compatible storage with conditional writes; credentials come from the AWS variables and files",
    )
    log_store_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+$",
        description="Address of the S3-compatible storage where it is not AWS, for example `https://s3.example.cn`",
    )
    log_store_region: str | None = Field(
        None,
        pattern=r"^[a-z0-9-]{1,64}$",
        description="Region of the bucket; without one what the AWS variables and files say",
    )
    objects_second: str | None = Field(
        None,
        pattern=rf"^{ADDRESS_PATTERN}$",
        description="Second store of originals and derivatives, `s3://bucket/prefix` in S3-compatible storage with"
        " conditional writes; everything comes to objects/ first and is copied there; credentials as for the log",
    )
    objects_second_endpoint: str | None = Field(
        None, pattern=r"^https?://[^\s/?#]+$", description="Address of that storage where it is not AWS"
    )
    objects_second_region: str | None = Field(
        None, pattern=r"^[a-z0-9-]{1,64}$", description="Region of that bucket; without one what the AWS variables say"
    )
    objects_second_retention_days: int | None = Field(
        None,
        ge=0,
        le=36500,
        description="For how many days from its seal the copy of an original is locked (Object Lock, compliance mode);"
        " has to be said where there is a second store, 0 if copies without a lock are meant",
    )
    receipt_requires_second_copy: bool = Field(
        default=False,
        description="Whether a dock gets the receipt that lets it clear a recorder only when the original is in the"
        " second store too; stated in what is sealed, and checked by the dock",
    )
    listen_host: str = Field("127.0.0.1", min_length=1, description="Address to listen on")
    listen_port: int = Field(8440, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+(/[^\s/?#]+)*$",
        description="What the service is called from outside, where a proxy stands before it; no slash at the end",
    )
    upload_bytes_max: int = Field(64 * GIBIBYTE, ge=1, le=2**53 - 1, description="Longest upload of a dock in bytes")
    staff_upload_bytes_max: int | None = Field(
        None, ge=1, le=2**53 - 1, description="Longest upload of a person in bytes; without it, as of docks"
    )
    uploads_max: int = Field(
        64, ge=1, le=1024, description="Uploads that may carry bytes at the same time; more are told to come back"
    )
    uploads_per_sender_max: int = Field(
        32, ge=1, le=1024, description="The same for one dock or person, so that nobody takes all places"
    )
    resumable_uploads: bool = Field(
        default=False,
        description="Whether /uploads also speaks the IETF's draft of resumable uploads (interop version 8), with"
        " clients that do not say they are tus",
    )
    axis_destination: bool = Field(
        default=False,
        description="Whether controllers of Axis body worn systems, connected by `shilu axis connect`, may deliver here"
        " (content destination API, a part of OpenStack Swift); see docs/axis.md",
    )
    prefix_seconds: float = Field(
        10.0,
        ge=0,
        description="How often in seconds the beginning of a file that is still being written is sealed; 0 for never",
    )
    upload_expiry_seconds: float = Field(
        30 * 86400.0,
        ge=0,
        description="Idleness in seconds after which an unfinished upload is closed and what came of it put into"
        " quarantine; 0 for never",
    )
    digests: Literal["sha256", "sha256,sm3"] = Field(
        "sha256",
        description="Digests of whole files: `sha256`, or `sha256,sm3` to compute and seal SM3 (GB/T 32905) as well;"
        " one stream then takes about a third of the speed",
    )
    disk_reserve_bytes: int = Field(
        GIBIBYTE, ge=0, description="Free bytes on the disk of the data folder below which no upload is taken"
    )
    export_keep_days: int = Field(
        30, ge=1, le=3660, description="For how many days an evidence package that was made is kept to be fetched"
    )
    json_bytes_max: int = Field(MEBIBYTE, ge=1024, le=64 * MEBIBYTE, description="Longest JSON request body in bytes")
    body_seconds_max: float = Field(
        30.0, gt=0, le=3600, description="Longest wait in seconds for the next piece of a JSON or note body"
    )
    receipt_wait_seconds: float = Field(
        2.0,
        ge=0,
        le=60,
        description="How long in seconds an answer waits for its entry to be provable before it says 202",
    )
    view_ticket_seconds: int = Field(
        900, ge=1, le=86400, description="Life in seconds of the ticket that lets a player fetch footage"
    )
    token_leeway_seconds: int = Field(
        30, ge=0, le=300, description="How far in seconds a dock's clock may be off when it signs its tokens"
    )
    session_seconds: int = Field(
        43200, ge=60, le=7 * 86400, description="Longest life in seconds of a session that a person has signed in to"
    )
    session_idle_seconds: int = Field(
        1800, ge=60, le=7 * 86400, description="Idleness in seconds after which a session ends"
    )
    public_requests_per_minute: int = Field(
        300, ge=1, le=100_000, description="Requests that one address may make to the public pages in a minute"
    )
    second_factor_required: bool = Field(
        default=False,
        description="Whether people who sign in with a password alone may do nothing but enrol one-time codes",
    )
    oidc_issuer: str | None = Field(
        None,
        max_length=2000,
        description="OpenID provider that people may sign in with, as its ID tokens name it, for example"
        " `https://id.example.cn`; needs PUBLIC_URL, below which /v1/session/oidc/return has to be registered there",
    )
    oidc_client_id: str | None = Field(
        None, min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$", description="What the provider calls this house"
    )
    oidc_client_secret_file: Path | None = Field(
        None, description="File with this house's secret at the provider, one line; without one PKCE alone protects"
    )
    oidc_second_factor: Literal["stated", "provider"] = Field(
        "stated",
        description="When a sign-in with the provider counts as one with a second factor: `stated`, when the ID token"
        " says so (`mfa` in `amr`, or an `acr` of OIDC_ACR_VALUES); `provider`, always",
    )
    oidc_acr_values: str = Field(
        "", max_length=1000, description="Values of `acr` that mean a second factor at the provider, between commas"
    )
    oidc_landing: str = Field(
        "/console/",
        max_length=200,
        pattern=r"^/([A-Za-z0-9._~-][A-Za-z0-9._~/-]*)?$",
        description="Path that a browser is led to once it has signed in with the provider",
    )
    password_characters_min: int = Field(12, ge=8, le=100, description="Shortest password in characters")
    password_passes: int = Field(3, ge=1, le=100, description="What hashing a password costs (Argon2id): passes")
    password_memory_kib: int = Field(
        65536, ge=64, le=4 * 1024 * 1024, description="What hashing a password costs: memory in KiB"
    )
    password_lanes: int = Field(4, ge=1, le=64, description="What hashing a password costs: lanes")
    trusted_proxies: str = Field(
        "",
        pattern=r"^([0-9a-fA-F.:/]+(,[0-9a-fA-F.:/]+)*)?$",
        description="Addresses or networks of proxies, separated by commas, whose X-Forwarded-For is believed when"
        " failed attempts to sign in are counted by address",
    )
    outbox_targets: str = Field(
        "",
        max_length=4000,
        description="Origins of other platforms that may be told of entries, separated by commas, for example"
        " `https://platform.example.cn`; without any, nothing is told",
    )
    metrics_on_loopback: bool = Field(
        default=False, description="Whether /metrics is open to requests from this very host without a token"
    )
    run_worker: bool = Field(default=True, description="Whether `serve` runs a worker of its own")
    worker_concurrency: int = Field(1, ge=1, le=64, description="Derivation jobs a worker runs at the same time")
    sequencer_interval_seconds: float = Field(
        0.02, gt=0, le=60, description="Pause in seconds between two batches of the sequencer while there is work"
    )
    publication_lag_seconds_max: float = Field(
        30.0, gt=0, description="Age in seconds of an unpublished entry from which on the service is not ready"
    )
    witness_policy: Path | None = Field(
        None,
        description="File with the witnesses, their addresses and the quorum (C2SP tlog-policy) without which no"
        " checkpoint is published; without a file nobody has to cosign",
    )
    witness_seconds: float = Field(5.0, gt=0, le=120, description="How long in seconds one witness may take to answer")
    witness_grace_seconds: float = Field(
        0.5,
        ge=0,
        le=60,
        description="How long in seconds the other witnesses are waited for once the quorum has cosigned",
    )
    recosign_seconds: float = Field(
        3600.0,
        ge=1,
        description="Age in seconds at which a log that does not grow has its checkpoint cosigned anew",
    )
    timestamp_authorities: Path | None = Field(
        None,
        description="TOML file with the time stamp authorities (RFC 3161) that stamp published checkpoints: tables"
        " [[authority]] with name, url, roots (PEM file), and optionally policy; without a file nobody is asked",
    )
    timestamp_seconds: float = Field(
        3600.0, gt=0, description="Seconds between two time stamps of one authority, while the log grows"
    )
    clock_tolerance_seconds: float = Field(
        300.0,
        ge=1,
        le=86400,
        description="How far in seconds clocks may be apart before the audit and /readyz say that one of them is wrong",
    )
    recorders_per_officer_target: float = Field(
        1.0, ge=0, le=100, description="How many recorders an office wants to have for each officer of a unit"
    )
    dock_silence_seconds: float = Field(
        300.0, ge=60, le=86400 * 30, description="Silence in seconds after which a dock that used to speak is missed"
    )
    audit_interval_seconds: float = Field(
        86400.0, ge=0, description="Pause in seconds between two rounds of the background audit of `serve`; 0 for none"
    )
    audit_bytes_per_second: int = Field(
        8 * MEBIBYTE, ge=0, description="How many bytes the background audit reads in a second at most; 0 for no audit"
    )
    shutdown_seconds_max: float = Field(
        15.0, ge=0, le=600, description="How long in seconds running requests may go on after a stop was asked for"
    )
    access: AccessMode = Field(
        AccessMode.UNITS,
        description="What decides who may see footage: `units`, the role and what is granted (units, cases, access"
        " classes), where nobody sees anything before a grant; or `roles`, the role alone, where grants and access"
        " classes narrow nothing",
    )
    log_format: Literal["console", "json"] = Field("console", description="How log lines are written")
    speech_models: Path | None = Field(
        None,
        description="Folder of speech models with its manifest `models.toml`; a worker then writes down what is said in"
        " clips, as a proposal. Needs the extra `speech`; without the setting nothing of it is loaded",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="From which level on lines appear"
    )

    @field_validator("origin")
    @classmethod
    def _origin_is_a_key_name(cls, origin: str | None) -> str | None:
        if origin is not None:
            try:
                check_name(origin)
            except CodedError as error:
                raise ValueError(error.message) from error
        return origin

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, proxies: str) -> str:
        for network in filter(None, proxies.split(",")):
            ip_network(network, strict=False)
        return proxies

    @model_validator(mode="after")
    def _second_store_is_complete(self) -> ServiceConfig:
        if self.objects_second is not None and self.objects_second_retention_days is None:
            raise ValueError("objects_second_retention_days has to be given, 0 for copies without a lock")
        if self.receipt_requires_second_copy and self.objects_second is None:
            raise ValueError("receipt_requires_second_copy needs objects_second")
        return self

    @property
    def second_place(self) -> S3Place | None:
        """Where the second store is; None where there is none."""
        if self.objects_second is None:
            return None
        return S3Place.parse(
            self.objects_second, endpoint=self.objects_second_endpoint, region=self.objects_second_region
        )


def load_config(**overrides: object) -> ServiceConfig:
    """Read the configuration from the environment; overrides that are not None win.

    Raises:
        ConfigInvalid: A value is out of bounds, or a variable with our prefix is no key.
    """
    known = {f"{PREFIX}{name}".upper() for name in ServiceConfig.model_fields}
    if unknown := sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        raise ConfigInvalid(f"{unknown[0]} is not a setting", setting=unknown[0])
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return ServiceConfig(**given)  # type: ignore[arg-type]  # judged by the model itself
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        # What is wrong between two settings has no place of its own; its message names them.
        name = ".".join(str(part) for part in first["loc"]) or "objects_second"
        raise ConfigInvalid(f"the setting {name!r} is not usable: {first['msg']}", setting=name) from error
