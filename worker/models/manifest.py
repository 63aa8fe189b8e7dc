"""What is written beside a model's arrays: what it is, what it was fitted on and with, and their digest."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from worker.models.calibration import Calibration
from worker.models.costs import Costs
from worker.models.novelty import MOST_COLUMNS, MOST_KEPT, Novelty
from worker.models.unsure_band import Band
from worker.networks.manifest import Digest


class LearntPhotographs(BaseModel):
    """What a model tells novel photographs by: so many learnt ones, with so many columns of features each.

    `columns` are fewer than the features where these were folded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept: Annotated[int, Field(ge=2, le=MOST_KEPT)]
    columns: Annotated[int, Field(ge=1, le=MOST_COLUMNS)]
    limit: Annotated[float, Field(ge=0)]
    """The distance above which a photograph is novel."""
    false_alarms: Annotated[float, Field(gt=0, lt=1)]
    """The share of photographs like the learnt ones that is above it."""

    @classmethod
    def of(cls, novelty: Novelty) -> Self:
        """Return what is to be told of `novelty`."""
        return cls(
            kept=novelty.kept,
            columns=novelty.learnt.shape[1],
            limit=novelty.limit,
            false_alarms=novelty.false_alarms,
        )


class ModelManifest(BaseModel):
    """A model's metadata: its id, what it was fitted on and with, and the digest of its arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    model_id: str
    """`<family>-<12 hex digits>`: a digest of classes, fingerprint and arrays, so that the same model has the same id
    wherever and whenever it was fitted."""
    backbone: str
    fingerprint: Digest
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    feature_size: Annotated[int, Field(ge=1)]
    trained_on: Annotated[int, Field(ge=1)]
    """Number of images that the model was fitted on."""
    settings: dict[str, JsonValue]
    metrics: dict[str, JsonValue]
    created_at: AwareDatetime
    classifier_sha256: Digest
    versions: dict[str, str]
    # These fields came later; a model whose manifest lacks them decides by the sign of its decision value.
    snapshot_id: str | None = None
    """The labelled set that the model was fitted on, as the database names it."""
    C: Annotated[float, Field(gt=0)] | None = None
    """The SVM's C in units of the features as they were fitted: standardised or not."""
    standardised: bool = False
    """Whether the features were scaled to unit deviation for the fit; the coefficients are for unscaled ones."""
    calibration: Calibration | None = None
    band: Band | None = None
    costs: Costs | None = None
    """The costs that `band` follows from."""
    kind_classes: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    """The classes of the finer model, which the file has beside the first where these are present."""
    network: Digest | None = None
    """The network's file that the features are of; without it (the lab's, or before networks were files) no worker can
    judge by this model."""
    novelty: LearntPhotographs | None = None
    """Which photographs the file has to tell novel ones by; without it a model takes none for novel."""
