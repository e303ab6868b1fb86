"""``twin scene``: the city in three dimensions, as 3D Tiles of a layer or as one page of a run."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from layers.store.features import read_versions
from layers.store.solids import find_solid_layer
from twin.connect import connect_to_city
from twin.scene import write_scene
from twin.scenes.folder import write_folder
from twin.settings import read_settings

_MOST_FAULTS = 20


class PageOfRun(TyperGroup):
    """Takes a first word that names no command for a run: ``twin scene RUN`` is ``twin scene page RUN``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return what is left of ``args`` for the command."""
        named = not args or args[0] in self.commands or args[0] == "--help"
        return super().parse_args(ctx, args if named else ["page", *args])


scene = typer.Typer(
    cls=PageOfRun,
    no_args_is_help=True,
    help="Cảnh 3D — the city in 3D: build writes 3D Tiles of a layer, page a run as one web page.",
)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(scene, name="scene")


@scene.command("build")
def build(
    layer: Annotated[str, typer.Option(help="Layer whose style names a height.")] = "buildings",
    out: Annotated[Path | None, typer.Option(help="Folder; else data/processed/scene/LAYER.")] = None,
) -> None:
    """Dựng khối 3D — write a layer as 3D Tiles 1.1 into a folder, in the place of the scene that was there."""
    settings, declared = read_settings(), find_solid_layer(layer)
    folder = out or settings.processed_dir / "scene" / declared.id
    begun = time.perf_counter()
    with connect_to_city(settings).connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        version = str(read_versions(connection).get(declared.id, 0))
        done = write_folder(connection, declared, folder, version=version, undulation=settings.geoid_undulation)
    for item, fault in list(done.faults.items())[:_MOST_FAULTS]:
        typer.echo(f"{declared.id} '{item}': {fault}", err=True)
    if len(done.faults) > _MOST_FAULTS:
        typer.echo(f"… and {len(done.faults) - _MOST_FAULTS:,} more", err=True)
    if done.truncated:
        typer.echo(f"{done.truncated:,} tiles are too full: their smallest solids are left out", err=True)
    taken = time.perf_counter() - begun
    typer.echo(
        f"{folder / 'tileset.json'}: {done.solids:,} {declared.title.vi} · {declared.title.en}, {done.tiles:,} GLB, "
        f"{done.size / 1e6:.1f} MB, {taken:.1f} s"
    )


@scene.command("page")
def page(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of a finished run; see twin jobs list.")],
    to: Annotated[Path, typer.Option(help="The page to write.")] = Path("scene.html"),
) -> None:
    """Write a run's buildings and water as one self-contained page; the word page may be left out."""
    settings = read_settings()
    with connect_to_city(settings).connect() as connection:
        size = write_scene(connection, settings.processed_dir, run_id, to)
    typer.echo(f"{to} ({size / 1e6:.1f} MB)")
