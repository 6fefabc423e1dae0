"""Which part of the Open Data Contract Standard 3.2 do our contract files use?

Every key here is a key of ODCS 3.2 (JSON Schema odcs-json-schema-v3.2.0); what the standard has no key for lies in its
`customProperties`, whose names are listed in `FEED_CUSTOM`, `COLUMN_CUSTOM` and `CHOICE_CUSTOM`. Anything else is
refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FEED_CUSTOM = frozenset({"titleZh", "senders", "authorisation", "basis", "periodColumn", "key", "latestBy"})
COLUMN_CUSTOM = frozenset(
    {
        "kind",
        "aliases",
        "unit",
        "standard",
        "mayBeNegative",
        "negativeOnlyWhen",
        "mayBeFuture",
        "default",
        "asOfFrom",
        "inFormulas",
    }
)
CHOICE_CUSTOM = frozenset({"aliases"})

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CustomProperty(_Strict):
    """A name and a value outside the standard."""

    property: str
    value: Any
    description: str | None = None


class EnumEntry(_Strict):
    """One allowed value (RFC 0033 of ODCS)."""

    value: str
    label: str
    description: str | None = None
    customProperties: list[CustomProperty] = []


class TypeOptions(_Strict):
    """Limits of a logical type."""

    minimum: int | None = None
    maximum: int | None = None
    maxLength: Annotated[int, Field(ge=1, le=10_000)] | None = None
    pattern: str | None = None


class Property(_Strict):
    """A column."""

    name: Name
    physicalName: Name
    businessName: Annotated[str, Field(min_length=1)]
    logicalType: Literal["string", "date", "number", "integer", "boolean"]
    logicalTypeOptions: TypeOptions = TypeOptions()
    physicalType: Literal["BIGINT", "BOOLEAN", "DATE", "VARCHAR"]
    required: bool
    classification: Literal["public", "internal", "personal", "sensitive"]
    description: Annotated[str, Field(min_length=1)]
    enum: Annotated[list[EnumEntry], Field(min_length=1)] | None = None
    examples: Annotated[list[str], Field(min_length=1)]
    customProperties: list[CustomProperty]


class SchemaObject(_Strict):
    """A table."""

    name: Name
    physicalName: Name
    businessName: str
    logicalType: Literal["object"]
    physicalType: Literal["table"]
    dataGranularityDescription: str
    properties: Annotated[list[Property], Field(min_length=1)]


class Description(_Strict):
    """Why the contract exists."""

    purpose: str
    usage: str | None = None
    limitations: str | None = None


class DataContract(_Strict):
    """One contract file."""

    apiVersion: Literal["v3.2.0"]
    kind: Literal["DataContract"]
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    name: Name
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    status: Literal["proposed", "draft", "active", "deprecated", "retired"]
    domain: str
    description: Description
    customProperties: list[CustomProperty]
    # `schema` is a method name of BaseModel, hence the alias.
    schema_: Annotated[list[SchemaObject], Field(alias="schema", min_length=1, max_length=1)]
