"""The water account of a flood run."""

from dataclasses import dataclass

from layers.errors import MassBalanceError


@dataclass(frozen=True, slots=True)
class MassBalance:
    """Volumes [m3] of a run, over the cells whose stage is computed (prescribed cells are outside).

    initial, final: stored. stage_in, stage_out: crossed into and out of the prescribed cells. discharge_in, rain:
    received. pumped_out: taken outside by pumps. free_out: left through free edges.
    """

    initial: float
    final: float
    stage_in: float = 0.0
    stage_out: float = 0.0
    discharge_in: float = 0.0
    rain: float = 0.0
    pumped_out: float = 0.0
    free_out: float = 0.0

    @property
    def stage_net(self) -> float:
        """Net volume received from the prescribed cells [m3]."""
        return self.stage_in - self.stage_out

    @property
    def residual(self) -> float:
        """Volume that appeared from nowhere [m3]; negative where it was lost."""
        gained = self.stage_net + self.discharge_in + self.rain - self.pumped_out - self.free_out
        return (self.final - self.initial) - gained

    @property
    def relative_error(self) -> float:
        """Residual relative to the water handled: stored at the start plus received [1]."""
        handled = self.initial + self.stage_in + self.discharge_in + self.rain
        return abs(self.residual) / max(handled, 1.0e-3)

    def check(self, tolerance: float) -> None:
        """Raise MassBalanceError where the relative error exceeds ``tolerance`` [1] (or is no number)."""
        if not self.relative_error <= tolerance:
            raise MassBalanceError(
                f"mass balance error is {self.relative_error:.3g} ({self.residual:+.6g} m3), expected at most "
                f"{tolerance:g}"
            )
