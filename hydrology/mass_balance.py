"""The water account of a flood run."""

from dataclasses import dataclass

from layers.errors import MassBalanceError


@dataclass(frozen=True, slots=True)
class MassBalance:
    """Volumes [m3] of a run, over the cells whose stage is computed (prescribed cells are outside).

    initial, final: stored. stage_in, stage_out: crossed into and out of the prescribed cells. discharge_in, rain:
    received. infiltrated: into the ground. structures_in, structures_out: brought from and to prescribed cells or the
    outside by pumps, gates, weirs and culverts. points_in, points_out: given and taken at points, the sewer's.
    free_out: left through free edges. made: by setting a stage that rounding left below its bed to the bed.
    """

    initial: float
    final: float
    stage_in: float = 0.0
    stage_out: float = 0.0
    discharge_in: float = 0.0
    rain: float = 0.0
    infiltrated: float = 0.0
    structures_in: float = 0.0
    structures_out: float = 0.0
    points_in: float = 0.0
    points_out: float = 0.0
    free_out: float = 0.0
    made: float = 0.0

    @property
    def stage_net(self) -> float:
        """Net volume received from the prescribed cells [m3]."""
        return self.stage_in - self.stage_out

    @property
    def received(self) -> float:
        """All that came in [m3]."""
        return self.stage_in + self.discharge_in + self.rain + self.structures_in + self.points_in

    @property
    def given(self) -> float:
        """All that went out [m3]."""
        return self.stage_out + self.infiltrated + self.structures_out + self.points_out + self.free_out

    @property
    def residual(self) -> float:
        """Volume that appeared from nowhere, ``made`` included [m3]; negative where it was lost."""
        return (self.final - self.initial) - (self.received - self.given)

    @property
    def relative_error(self) -> float:
        """Residual relative to the water handled: stored at the start plus received [1]."""
        return abs(self.residual) / max(self.initial + self.received, 1.0e-3)

    def check(self, tolerance: float) -> None:
        """Raise MassBalanceError where the relative error exceeds ``tolerance`` [1] (or is no number)."""
        if not self.relative_error <= tolerance:
            raise MassBalanceError(
                f"mass balance error is {self.relative_error:.3g} ({self.residual:+.6g} m3), expected at most "
                f"{tolerance:g}"
            )
