"""What every feature that a run wrote says first: which run it was."""

from layers.schema import text

RUN = text("run_id", "Lần chạy", "Run", required=True, in_tiles=True)
